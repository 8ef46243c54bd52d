/*
 * sentence - every sentence that a person can see, in the four languages side by side: a missing one does not compile.
 *
 * A text may hold one %s (a name, a limit); the comment in sentences.def says what.
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
extern const char *const language_codes[];	/* the four, NULL behind */
/* False (and *out unchanged) when the code is none of the four. NULL is none. */
bool language_of(const char *code, enum language *out);
/*
 * The best of our four for an Accept-Language header (RFC 9110 section 12.5.4; ranges match by prefix, so de-AT is de;
 * q=0 excludes; "*" is the first not excluded, English before others). False when it asks for none of them or is empty.
 */
bool language_negotiate(const char *header, enum language *out);

const char *sentence(enum sentence which, enum language language);
/*
 * Appends a sentence with its one %s filled in; `argument` is NULL where it has none. Never used as a format, since the
 * argument may come from the caller.
 */
void buf_sentence(struct buf *buf, enum sentence which, enum language language, const char *argument);

#endif
