/*
 * mail - a mail is a row of the outbox, written in the transaction that caused it and sent afterwards by `okulctl mail`.
 *
 * The row names a template and holds its values sealed under mail_key: no database, log or backup holds a readable code.
 */
#ifndef OKUL_MAIL_H
#define OKUL_MAIL_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "conf.h"
#include "outbox.h"
#include "sentence.h"

/*
 * Fills {{name}} in a template. With "reply_to", an address, and "reply_name", a display name or "", the mail gets a
 * Reply-To and is not marked as automatic.
 */
struct mail_value { const char *name, *text; };

/* A value for a header: control characters, such as line breaks, become spaces. In the arena. */
const char *mail_one_line(struct arena *arena, const char *text);

/*
 * Returns a mail for outbox_add(), its values sealed; call it before the write transaction. `template` is the stem of
 * conf/mail/<template>.<language>.txt and .html; `values` fill its {{name}} places. It is not sent after `expires` (milliseconds;
 * 0: 24 hours from `now`). `arena` owns the seal; `to` and `template` are borrowed.
 */
struct outbox_new mail_seal(const struct conf *conf, struct arena *arena, int64_t now, int64_t expires, const char *to,
	enum language language, const char *template, const struct mail_value *values, size_t count);

/* Wakes a running sender by a datagram. Call it after the commit; fails silently when no sender runs. */
void mail_wake(const struct conf *conf);

/* A mail of the outbox, as the sender reads it. */
struct mail {
	const char *id, *to, *template;
	enum language language;
	int64_t created, expires, attempts;
	const struct mail_value *values;
	size_t count;
};

/*
 * Opens the seal of a row into mail->values, which `arena` owns; cJSON must be on it, see json_use(). False (reason
 * logged) when mail_key is not the one it was sealed under.
 */
must_use bool mail_unseal(const struct conf *conf, struct arena *arena, const void *sealed, size_t length,
	struct mail *mail);

/*
 * Composes the message (RFC 5322, MIME multipart/alternative of text and HTML, headers encoded by RFC 2047) from the
 * templates <template>.<language>.txt and .html of DATA/mail-templates, else of conf->share/mail. The first line of
 * the text is "Subject: ...". Values are escaped in the HTML part. Lines end with CRLF, have at most 998 bytes, and
 * do not begin with a dot or "From "; the bytes depend on the mail alone. False (reason logged) when a template is
 * missing or has a {{name}} without a value, when an address is malformed, or when a header has a control character.
 */
must_use bool mail_compose(const struct conf *conf, struct arena *arena, const struct mail *mail, struct buf *out);

#endif
