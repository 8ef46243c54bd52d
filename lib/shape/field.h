/*
 * field - shapes: tables of the fields of a request or a response, named like the DTOs of the contract.
 *
 * One table checks a body or query, picks the columns of a response, and is an OpenAPI component.
 */
#ifndef OKUL_FIELD_H
#define OKUL_FIELD_H

#include "arena.h"
#include "base.h"
#include "json.h"
#include "sentence.h"
#include "value.h"

enum field_type {
	FIELD_END,
	FIELD_TEXT,			/* string of min..max code points, trimmed first unless .raw; of one line unless .lines */
	FIELD_INT,			/* integer in min..max */
	FIELD_NUMBER,			/* number in min..max */
	FIELD_BOOL,
	FIELD_TIME,			/* 2026-01-15T10:30:00.000Z, the fraction may be left out; in the database milliseconds */
	FIELD_DATE,			/* 2026-01-15; in the database the same text */
	FIELD_ID,			/* 24 hex digits, folded to lower case */
	FIELD_EMAIL,			/* folded to lower case, its domain in ASCII: see email.h */
	FIELD_URL,			/* http, https or a path of this site; at most FIELD_URL_MAX characters */
	FIELD_ENUM,			/* one of .oneof */
	FIELD_JSON,			/* in a JSON body: any value of at most max bytes, as its text: no number is rounded */
	FIELD_OBJECT,			/* of shape .of */
	FIELD_LIST,			/* min..max elements: of shape .of, or scalars of type .item with .item_min to .item_max */
	FIELD_PLUS,			/* stands for every field of .of, in place */
	FIELD_HEAD,			/* [0] of a table by enumerators, before others: all fields of .of, in as many places */
};

#define FIELD_URL_MAX 2048
#define FIELD_BIRTH_FIRST "1900-01-01"

struct shape;

struct field {
	const char *name;
	enum field_type type;
	double min, max;	/* code points, value or number of elements; max 0: only that of the type */
	const char *const *oneof;	/* NULL behind the last */
	const struct shape *of;
	enum field_type item;
	double item_min, item_max;
	const char *const *item_oneof;
	bool optional;		/* may be left out of a request */
	bool nullable;		/* may be null */
	bool digits;		/* FIELD_TEXT: ASCII digits only */
	bool letters;		/* FIELD_TEXT: ASCII letters only, folded to upper case first */
	bool username;		/* FIELD_TEXT: a-z 0-9 _ . only, folded to lower case first */
	bool must_be_true;	/* FIELD_BOOL */
	bool above_min;		/* FIELD_NUMBER: greater than min */
	bool lines;		/* FIELD_TEXT: may have line feeds and tabs; CR LF is made LF */
	bool raw;		/* FIELD_TEXT: not trimmed, and CR stays */
	bool birth;		/* FIELD_DATE: of a birth, FIELD_BIRTH_FIRST to today (UTC) */
	bool or_date;		/* FIELD_TIME: or a date; field_time() reads either */
	bool zone;		/* FIELD_TEXT: the name of a time zone that this system has */
	bool link;		/* FIELD_TEXT: a name, a path, or an address of http or https; no other scheme, nor //HOST or a backslash */
	bool key;		/* FIELD_TEXT: a name that fits into a path, see text_is_key() */
	bool admin_only;	/* left out of a response unless the caller is an admin */
	const char *note;	/* for the reference */
	const char *example;	/* for the reference; JSON text */
};

struct shape {
	const char *name;	/* of the DTO */
	const struct field *fields;
	bool all_optional;	/* every field may be left out (but not all of them) */
	const char *note;
};

#define FIELDS(...) ((const struct field[]){ __VA_ARGS__, { 0 } })
#define FIELDS_END { .type = FIELD_END }	/* behind the last of a named table */

#define FAULTS_TOLD 50		/* of one request; a response only mentions that there are more */

/* The errors of a request: sentences in the caller's language, in the order of the fields. */
struct faults {
	struct arena *arena;
	enum language language;
	size_t count;		/* of those in the list, and one more where there are more than FAULTS_TOLD */
	struct fault { const char *text; struct fault *next; } *first, **last;
	bool ignored;		/* none is kept, and none is too many: for values that were checked before */
};

/* No faults yet; they will be in `arena`. */
void faults_init(struct faults *faults, struct arena *arena, enum language language);
/* "name: sentence". `argument` fills the sentence's %s; NULL where it has none. Keeps the first FAULTS_TOLD. */
void faults_add(struct faults *faults, const char *name, enum sentence sentence, const char *argument);
/* True where further faults would not be reported, so that there is no need to look for them. */
static inline bool
faults_enough(const struct faults *faults)
{
	return faults->count > FAULTS_TOLD;
}

/* True when there is a fault in this field of the body, or inside it. */
bool faults_name(const struct faults *faults, const char *name);
/*
 * Moves the faults of `more`, which are in the order of the shape, to their places among those that field_read()
 * added behind the first `from`. Where that found a fault in the same field, or the same element of a list, those
 * of `more` are dropped: they may be mere consequences.
 */
void faults_merge(struct faults *faults, size_t from, const struct faults *more, const struct shape *shape);

/*
 * Checks an object against a shape, adds one fault for each bad field (missing, wrong type, out of limits, or not
 * in the shape), and returns the values by the position of their field in the shape: a table with designated
 * initializers, and FIELD_HEAD for what it takes in, has them by its enumerators. A FIELD_INT is VALUE_INT, a
 * FIELD_BOOL VALUE_BOOL, a FIELD_NUMBER VALUE_REAL, a list VALUE_LIST, an object VALUE_OBJECT, all else VALUE_TEXT,
 * trimmed and folded. What is missing, null or of a wrong type is VALUE_NULL, also a list with too few or too many
 * elements.
 *
 * `members` are the texts of the object's members, json_parse_members(); NULL where it has no FIELD_JSON. In the
 * arena of `faults`. Strings are borrowed from the object, which is changed by this.
 */
const struct value *field_read(const struct shape *shape, const cJSON *object, const struct json_text *members,
	struct faults *faults);
/* The value of one field from its item, whatever is wrong with it. Not named. */
struct value field_value(struct arena *arena, const struct field *field, const cJSON *item);
/*
 * The same of a query string, in which numbers and booleans are texts. An unknown or repeated parameter is a fault,
 * a malformed escape too. `shape` NULL: no parameters, and NULL is returned.
 */
const struct value *field_query(const struct shape *shape, const char *query, struct faults *faults);

/* The field of that name, FIELD_PLUS resolved; NULL when the shape has none. */
const struct field *field_find(const struct shape *shape, const char *name);
/*
 * For fields that come as texts, one after the other: adds to the object what the text means by the type of the
 * field; lists and objects are JSON text. An empty text is null where the field takes null and is no FIELD_TEXT.
 * What cannot be read stays a text, which field_read() finds to be of a wrong type. A second text of a field is a
 * fault there, and the only one of the field.
 */
void field_add(struct arena *arena, cJSON *object, const struct field *field, const char *text);

/* A FIELD_TIME in milliseconds, or with .or_date midnight of the date in that time zone. */
int64_t field_time(struct value value, const char *zone, int64_t fallback);

/* Walks the fields of a shape with FIELD_PLUS resolved: start with {0}; NULL at the end. */
struct field_walk { const struct field *at[4]; int depth; bool started; };
const struct field *field_next(struct field_walk *walk, const struct shape *shape);

extern const char *const role_enum[], *const level_enum[];	/* NULL behind the last */

#endif
