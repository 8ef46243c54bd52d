/*
 * json_write - the one writer of JSON (RFC 8259): members of objects and elements of lists, behind one another.
 *
 * Each call appends one value to `out`. `name` is the member's, written as it is, so nothing in it may need an escape; NULL
 * inside a list. The comma is set by the byte that stands before: none at the start of `out` and behind an opening bracket.
 * json_put_object() and json_put_list() open what json_put_end_object() and json_put_end_list() close. When memory is short,
 * the calls set out->failed, as those of buf.h do; look once, at the end.
 */
#ifndef OKUL_JSON_WRITE_H
#define OKUL_JSON_WRITE_H

#include "base.h"
#include "buf.h"
#include "json.h"

/* Open and close an object or a list. */
void json_put_object(struct buf *out, const char *name);
void json_put_end_object(struct buf *out);
void json_put_list(struct buf *out, const char *name);
void json_put_end_list(struct buf *out);
void json_put_text(struct buf *out, const char *name, const char *text);	/* well-formed UTF-8; NULL: null */
void json_put_text_of(struct buf *out, const char *name, const char *text, size_t length);
void json_put_int(struct buf *out, const char *name, int64_t number);
void json_put_number(struct buf *out, const char *name, double number);	/* as buf_number() writes it */
void json_put_bool(struct buf *out, const char *name, bool truth);
void json_put_time(struct buf *out, const char *name, int64_t time);	/* milliseconds since 1970, as clock_text() writes them */
void json_put_null(struct buf *out, const char *name);
/* JSON text, as it is. */
void json_put_raw(struct buf *out, const char *name, const char *json);
void json_put_raw_of(struct buf *out, const char *name, const char *json, size_t length);
/* What the parser made of a text; numbers as buf_number() writes them. */
void json_put_tree(struct buf *out, const char *name, const cJSON *tree);

#endif
