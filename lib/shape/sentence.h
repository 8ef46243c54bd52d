/*
 * sentence - every sentence that a person can see, in the four languages side by side: a missing one does not compile.
 *
 * A text may contain one %s (a name, a limit), which a comment in sentences.def describes.
 */
#ifndef OKUL_SENTENCE_H
#define OKUL_SENTENCE_H

#include "base.h"
#include "buf.h"

enum language { TR, EN, ES, DE };
#define LANGUAGES 4

enum sentence {
#define SENTENCE(name, tr, en, es, de) name,
#include "sentences.def"
#undef SENTENCE
};

/* "tr", "en", "es", "de". */
const char *language_code(enum language language);
extern const char *const language_codes[];	/* the same four, and NULL */
/* False (and *out unchanged) when the code is NULL or none of the four. */
bool language_of(const char *code, enum language *out);
/*
 * The best of the four for an Accept-Language header (RFC 9110 section 12.5.4). Ranges match by prefix, so de-AT is
 * de; q=0 excludes; "*" is the first language not excluded, English before others. False (and *out unchanged) when
 * the header is NULL or accepts none of them.
 */
bool language_negotiate(const char *header, enum language *out);

/* The text, with its %s. */
const char *sentence(enum sentence which, enum language language);
/*
 * Appends a sentence with its one %s filled in; `argument` is NULL where it has none. Never used as a format, since the
 * argument may come from the caller.
 */
void buf_sentence(struct buf *buf, enum sentence which, enum language language, const char *argument);

#endif
