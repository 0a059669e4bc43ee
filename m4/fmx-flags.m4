# One flag at a time, with those that passed before it (some warnings need
# another one). FMX_CC_FLAG(VARIABLE, FLAG) appends FLAG to VARIABLE
# if the compiler takes it without a word; FMX_LD_FLAG does so for the linker.
# The user's own flags take part in the probe and come last on the command
# line, here as in the Makefile: where both speak, the user's flag wins.

# FMX_PROBE_FLAG(CACHE-NAME, MESSAGE, PROBE-MACRO, VARIABLE, FLAG)
AC_DEFUN([FMX_PROBE_FLAG], [
AS_VAR_PUSHDEF([fmx_var], [$1])
AC_CACHE_CHECK([$2 $5], [fmx_var], [
	fmx_save_CFLAGS=$CFLAGS
	fmx_save_CPPFLAGS=$CPPFLAGS
	fmx_save_LDFLAGS=$LDFLAGS
	m4_case([$4],
		[FMX_CPPFLAGS], [CPPFLAGS="$$4 $5 $CPPFLAGS"],
		[FMX_LDFLAGS], [LDFLAGS="$$4 $5 $LDFLAGS"],
		[CFLAGS="$$4 $5 $CFLAGS"])
	CFLAGS="$CFLAGS -Werror"
	$3([AC_LANG_PROGRAM([[#include <string.h>]],
		[[char a[8]; memset(a, 0, sizeof a); return a[0];]])],
		[AS_VAR_SET([fmx_var], [yes])],
		[AS_VAR_SET([fmx_var], [no])])
	CFLAGS=$fmx_save_CFLAGS
	CPPFLAGS=$fmx_save_CPPFLAGS
	LDFLAGS=$fmx_save_LDFLAGS
])
AS_VAR_IF([fmx_var], [yes], [$4="$$4 $5"])
AS_VAR_POPDEF([fmx_var])
])

AC_DEFUN([FMX_CC_FLAG], [
FMX_PROBE_FLAG([fmx_cv_cc]m4_bpatsubst([$2], [[^a-zA-Z0-9]], [_]),
	[whether $CC accepts], [AC_COMPILE_IFELSE], [$1], [$2])
])

AC_DEFUN([FMX_LD_FLAG], [
FMX_PROBE_FLAG([fmx_cv_ld]m4_bpatsubst([$2], [[^a-zA-Z0-9]], [_]),
	[whether the linker accepts], [AC_LINK_IFELSE], [$1], [$2])
])

# FMX_NEED(VARIABLE-PREFIX, PKG-CONFIG QUESTION, DEBIAN PACKAGE)
AC_DEFUN([FMX_NEED], [
PKG_CHECK_MODULES([$1], [$2], [], [
	AC_MSG_ERROR([cannot find $2: install $3 (Debian, Ubuntu: apt-get install $3)
pkg-config says: $[]$1[]_PKG_ERRORS])
])
])

# libmilter has no pkg-config file. Postfix's package brings a libmilter.a of
# its own, in a directory that is not searched; it is none of ours.
AC_DEFUN([FMX_NEED_MILTER], [
MILTER_LIBS=
AC_CHECK_HEADER([libmilter/mfapi.h], [
	AC_CHECK_LIB([milter], [smfi_setsymlist], [MILTER_LIBS=-lmilter], [],
		[-pthread])
])
AS_IF([test -z "$MILTER_LIBS"], [
	AC_MSG_ERROR([cannot find libmilter: install libmilter-dev (Debian, Ubuntu: apt-get install libmilter-dev)])
])
# Not in its header before sendmail 8.14.
AC_CHECK_LIB([milter], [smfi_setmaxdatasize], [
	AC_DEFINE([HAVE_SMFI_SETMAXDATASIZE], [1],
		[libmilter takes packets of more than 64 KiB when asked to.])
], [], [-pthread])
AC_SUBST([MILTER_LIBS])
])
