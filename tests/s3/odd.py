"""odd - keys that a bucket allows and that are easily got wrong."""

KEYS = [k.encode() for k in (
    "sp ace", "pl+us", "a+b c", "uni-é-漢字", "emoji-😀", "n\u0065\u0301",
    "dbl//slash", "/lead", "trail/x", "pct%41", "pct%", "100%25", "q?x",
    "amp&x=1", "hash#x", "quo'te\"", "lt<gt>", "star*", "semi;colon",
    "tilde~!$(),:@=", "dot/./x", "dot/../x", "../../x", "a/../b", "%2e%2e/x",
    "back\\slash", "nl\nx", "cr\rx", "tab\tx", "-rf", "--help", "$(id)",
    "`id`", "{user}", "|;&", "\u202ertl", "x" * 255)]
# XML 1.0 cannot say it: a listing has it only where encoding-type is honoured.
CONTROL = [b"ctrl\x01x", b"esc\x1b[31m"]
# With a prefix before it, 1024 bytes in all is the most that S3 takes.
LONGEST = 1024
