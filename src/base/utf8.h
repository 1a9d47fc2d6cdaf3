/*
 * utf8.h - the characters of foreign text, before it is shown.
 */
#ifndef FAIRLEAD_BASE_UTF8_H
#define FAIRLEAD_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The first character of a NUL-terminated text: how many bytes it takes, and its value. 0, and the
 * value untouched, when there is none: the text is empty or does not begin with UTF-8 (RFC 3629:
 * no overlong forms, no surrogates, nothing above U+10FFFF). */
size_t utf8_character(const char *text, uint32_t *ret_value);

#endif
