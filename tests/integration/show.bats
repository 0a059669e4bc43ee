#!/usr/bin/env bats
# fallbackmx archive show: the mail as an administrator reads it, whatever it
# is. The archives are made by tests/journal/appender, as a milter would.

load helpers
load archive

# made EXPRESSION: one message, the bytes that Python makes of it.
made() {
	"$FB_PYTHON" -c "import base64, sys
sys.stdout.buffer.write($1)" >"$T/mail"
	append "$A/legal" "$T/mail"
	ID=legal/$(head -n 1 "$T/appended" | cut -d' ' -f1)
}

# shown: $mail is what stands behind the record. None of it steers a terminal.
shown() {
	expect 0 archive show "$ID"
	"$FB_PYTHON" -c 'import sys, unicodedata
for c in sys.stdin.buffer.read().decode():
    assert c == "\n" or unicodedata.category(c) not in ("Cc", "Cf"), ascii(c)
' <<<"$output"
	mail=$(sed '1,/^$/d' <<<"$output")
}

@test "show: nothing steers the terminal" {
	one 'From: x\033[2J\r\nSubject: =?utf-8?q?a=1B=5D0=C2=9Bb=E2=80=AEc?=\r\n\r\n\033]0;t\007\302\233\342\200\256 \303\244 \200\r\n'
	shown
	[[ "$mail" == *'\x1b]0;t\x07\xc2\x9b\xe2\x80\xae '* ]]
	[[ "$mail" == *ä* ]]
	[[ "$output" == *"To        <r0@example.com>"* ]]
}

@test "show: header and text are decoded" {
	one 'From: =?iso-8859-1?q?Jos=E9?= <x@y>\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\n to you\r\nContent-Type: text/plain; charset=iso-8859-15\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n5=A4=20=\r\na metre\r\n'
	shown
	same "$mail" 'From: José <x@y>
Subject: Grüße to you
Content-Type: text/plain; charset=iso-8859-15
Content-Transfer-Encoding: quoted-printable

5€ a metre'
}

@test "show: other parts are named" {
	made "b'''A: b
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=\"y\"

--y
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

''' + base64.encodebytes('Grüße\n'.encode()) + b'''
--y
Content-Type: text/html

<b>x</b>
--y--
--x
Content-Type: Application/PDF; name=\"=?utf-8?q?=C3=A4=1B[2J?=.pdf\"
Content-Transfer-Encoding: base64

''' + base64.encodebytes(b'%PDF' * 1000) + b'''
--x
Content-Type: text/plain
Content-Disposition: attachment; filename*=utf-8\\'\\'%C3%A4.txt

log
--x--
'''"
	shown
	same "$(tail -n 6 <<<"$mail")" '
Grüße

[text/html, 8 bytes]
[application/pdf "ä [2J.pdf", 4000 bytes]
[text/plain "ä.txt", 3 bytes]'
	one 'Content-Type: text/html\r\n\r\n<p>\033'
	shown
	same "$(tail -n 2 <<<"$mail")" "[text/html, 4 bytes]
[no plain text: fallbackmx archive cat $ID]"
}

@test "show: what cannot be decoded is shown as it came" {
	while IFS='|' read -r text wanted; do
		one "$text"
		shown
		same "$(sed '1,/^$/d' <<<"$mail")" "$wanted"
	done <<-'END'
	Content-Type: multipart/mixed\r\n\r\n--b\033|--b\x1b
	Content-Type: multipart/mixed; boundary=b\r\n\r\nnone\r\n|none
	Content-Type: text/plain; charset=x-none\r\n\r\n\344|\xe4
	Content-Type: text/plain; charset="\033"\r\n\r\na|a
	Content-Type: text/plain; charset=utf-8\r\n\r\na\344|a\xe4
	Content-Transfer-Encoding: x-none\r\n\r\n=41|=41
	Content-Transfer-Encoding: base64\r\n\r\nGwBb!MjJ|\x1b\x00[22
	Content-Transfer-Encoding: base64\r\n\r\n***|
	Content-Transfer-Encoding: quoted-printable\r\n\r\n=1B[2J=0=|\x1b[2J=0
	Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nm1szMW0b|\xc2\x9b[31m\x1b
	END
	one 'no header'
	shown
	same "$mail" $'\nno header'
	one 'A: b'
	shown
	same "$mail" "A: b"
	one ''
	shown
	same "$mail" ""
}

@test "show: signed and encrypted mail" {
	one 'Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\ntext\r\n--s\r\nContent-Type: application/pgp-signature; name=signature.asc\r\n\r\nsig\r\n--s--\r\n'
	shown
	same "$(tail -n 3 <<<"$mail")" 'text

[application/pgp-signature "signature.asc", 3 bytes]'
	one 'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n'
	shown
	same "$(tail -n 2 <<<"$mail")" "[application/pkcs7-mime \"smime.p7m\", 3 bytes]
[no plain text: fallbackmx archive cat $ID]"
}

@test "show: hostile mail is bounded" {
	made "b''.join(b'Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n'
	    % (i, i) for i in range(10000)) + b'\ntext\n'"
	shown
	[[ "$mail" == *"--b16"*"--b9999"*text ]]
	made "b'Content-Type: multipart/mixed; boundary=b\n\n' + b'--b\n\n' * 1000000"
	shown
	same "$(tail -n 1 <<<"$mail")" "[more parts: fallbackmx archive cat $ID]"
	made "b'A: b\n' * 500000 + b'\ntext\n'"
	shown
	same "$(tail -n 3 <<<"$mail")" "[more of the header: fallbackmx archive cat $ID]

text"
	made "b'Content-Transfer-Encoding: base64\n\n' + base64.encodebytes(b'0123456\n' * 3750000)"
	shown
	same "$(grep -c '^0123456$' <<<"$mail")" 131072
	same "$(tail -n 1 <<<"$mail")" "[28951424 bytes more: fallbackmx archive cat $ID]"
}
