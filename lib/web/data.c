#include "data.h"

#include "json_write.h"

#define LATER_MEMORY 2048 /* bytes of the arena that making it takes */
#define PLAIN_ROOM 40	  /* of a number, a time, brackets, and of the quotes and comma around any value */
#define END_ROOM 64	  /* of the envelope behind the data */

/* A value in rq->kept; its bytes stand behind it. No padding: etag_guard_again() compares values byte by byte. */
struct kept {
	const char *name;
	data_writer *write;    /* of data_later(), else NULL */
	uint64_t type, length; /* enum data_type; of the bytes: a text, facts, or a number */
};

/* ---- writing and keeping */

static inline __attribute__((always_inline)) void
write_one(struct buf *out, enum data_type type, const char *name, const struct value *value)
{
	switch (type) {
	case DATA_OBJECT: json_put_object(out, name); break;
	case DATA_END_OBJECT: json_put_end_object(out); break;
	case DATA_LIST: json_put_list(out, name); break;
	case DATA_END_LIST: json_put_end_list(out); break;
	case DATA_NULL: json_put_null(out, name); break;
	case DATA_BOOL: json_put_bool(out, name, value->integer); break;
	case DATA_INT: json_put_int(out, name, value->integer); break;
	case DATA_NUMBER: json_put_number(out, name, value->real); break;
	case DATA_TIME: json_put_time(out, name, value->integer); break;
	case DATA_TEXT: json_put_text_of(out, name, value->bytes, value->length); break;
	case DATA_RAW: json_put_raw_of(out, name, value->bytes, value->length); break;
	}
}

/* Bytes up to the next record, so that each is aligned. */
static size_t
padding_of(size_t length)
{
	return -length % sizeof(uint64_t);
}

/* `room`: bytes of JSON of the value without its name. */
static void
keep(struct request *rq, const struct kept *kept, const void *bytes, size_t room)
{
	static const char padding[sizeof(uint64_t)];

	buf_put(&rq->kept, kept, sizeof(*kept));
	buf_put(&rq->kept, bytes, kept->length);
	buf_put(&rq->kept, padding, padding_of(kept->length));
	rq->kept_room += PLAIN_ROOM + (kept->name ? strlen(kept->name) : 0) + room;
	rq->kept_memory += kept->write ? LATER_MEMORY : 0;
}

static bool
has_bytes(enum data_type type)
{
	return type == DATA_TEXT || type == DATA_RAW;
}

/* A function of its own, so that data_put() has no local variables on the stack: it runs for each field of a response. */
static __attribute__((noinline)) void
keep_value(struct request *rq, enum data_type type, const char *name, const struct value *value)
{
	if (has_bytes(type)) /* \u001f is the longest escape */
		keep(rq, &(struct kept){ name, NULL, type, value->length }, value->bytes,
			value->length * (type == DATA_TEXT ? strlen("\\u001f") : 1));
	else if (value)
		keep(rq, &(struct kept){ name, NULL, type, sizeof(value->integer) }, &value->integer, 0);
	else
		keep(rq, &(struct kept){ name, NULL, type, 0 }, "", 0);
}

/* Inlined, so that a type that is known where it is called selects the call of json_write.h there. */
static inline __attribute__((always_inline)) void
put(struct request *rq, enum data_type type, const char *name, const struct value *value)
{
	if (rq->keeps)
		keep_value(rq, type, name, value);
	else
		write_one(rq->out, type, name, value);
}

void
data_put(struct request *rq, enum data_type type, const char *name, const struct value *value)
{
	put(rq, type, name, value);
}

/* ---- values */

void
data_text(struct request *rq, const char *name, const char *text)
{
	data_put(rq, text ? DATA_TEXT : DATA_NULL, name, &(struct value){ .bytes = text, .length = text ? strlen(text) : 0 });
}

void
data_value(struct request *rq, const struct field *field, const struct value *value)
{
	static const struct value truths[] = { { .integer = false }, { .integer = true } };
	enum field_type type = field->type;

	switch (value->type) {
	case VALUE_NULL: put(rq, DATA_NULL, field->name, NULL); break;
	case VALUE_BOOL: put(rq, DATA_BOOL, field->name, &truths[value->truth]); break;
	case VALUE_INT:
		if (type == FIELD_TIME)
			put(rq, DATA_TIME, field->name, value);
		else if (type == FIELD_BOOL)
			put(rq, DATA_BOOL, field->name, value);
		else
			put(rq, DATA_INT, field->name, value);
		break;
	case VALUE_REAL: put(rq, DATA_NUMBER, field->name, value); break;
	default:
		if (type == FIELD_JSON || type == FIELD_LIST || type == FIELD_OBJECT)
			put(rq, DATA_RAW, field->name, value);
		else
			put(rq, DATA_TEXT, field->name, value);
	}
}

void
data_later(struct request *rq, const char *name, data_writer *write, const void *facts, size_t size, size_t room)
{
	if (rq->keeps)
		keep(rq, &(struct kept){ name, write, 0, size }, facts, room);
	else
		write(rq, name, facts);
}

/* ---- the whole */

static void
begin_envelope(struct request *rq)
{
	buf_reset(rq->out, SIZE_MAX);
	rq->links = rq->last_link = NULL;
	json_put_raw(rq->out, NULL, "{\"isSuccess\":true");
	json_put_int(rq->out, "statusCode", rq->success);
}

void
data_begin(struct request *rq, char bracket)
{
	if (rq->keeps)
		data_keep(rq);
	else
		begin_envelope(rq);
	data_put(rq, bracket == '{' ? DATA_OBJECT : DATA_LIST, "data", NULL);
}

void
data_keep(struct request *rq)
{
	rq->keeps = true;
	rq->kept = (struct buf){ .arena = rq->arena };
	rq->kept_room = RESPONSE_DATA_AT + END_ROOM;
	rq->kept_memory = 0;
}

bool
data_reserve(struct request *rq)
{
	arena_reserve(rq->arena, rq->kept_memory);
	buf_reset(rq->out, SIZE_MAX);
	return !rq->kept.failed && buf_room(rq->out, rq->kept_room);
}

void
data_write(struct request *rq)
{
	const char *at = rq->kept.s, *end = at + rq->kept.length;
	struct kept kept;

	rq->keeps = false;
	begin_envelope(rq);
	for (; at < end; at += sizeof(kept) + kept.length + padding_of(kept.length)) {
		const char *bytes = at + sizeof(kept);
		struct value value = { 0 };
		memcpy(&kept, at, sizeof(kept));
		if (kept.write) {
			kept.write(rq, kept.name, bytes);
			continue;
		}
		if (has_bytes(kept.type))
			value = value_blob(bytes, kept.length);
		else
			memcpy(&value.integer, bytes, kept.length);
		write_one(rq->out, kept.type, kept.name, &value);
	}
}
