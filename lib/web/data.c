#include "data.h"

#include "json_write.h"

enum type { OBJECT, END_OBJECT, LIST, END_LIST, NOTHING, BOOL, INT, NUMBER, TIME, TEXT, RAW, LATER };

typedef void writer(struct request *rq, const char *name, const void *facts);

#define LATER_ROOM 1024		/* bytes of JSON of a value that is made later */
#define PLAIN_ROOM 40		/* of a number, a time, brackets */

/* A value in rq->kept; its bytes stand behind it. Without padding: equal data is equal byte by byte. */
struct kept {
	const char *name;
	writer *write;			/* of LATER */
	uint64_t type, length;		/* bytes: of a text, or facts */
	int64_t bits;			/* of a number, a time, a truth */
};

/* ---- writing and keeping */

static void
write_one(struct buf *out, enum type type, const char *name, const struct value *value)
{
	switch (type) {
	case OBJECT:
		json_put_object(out, name);
		break;
	case END_OBJECT:
		json_put_end_object(out);
		break;
	case LIST:
		json_put_list(out, name);
		break;
	case END_LIST:
		json_put_end_list(out);
		break;
	case BOOL:
		json_put_bool(out, name, value->integer);
		break;
	case INT:
		json_put_int(out, name, value->integer);
		break;
	case NUMBER:
		json_put_number(out, name, value->real);
		break;
	case TIME:
		json_put_time(out, name, value->integer);
		break;
	case TEXT:
		json_put_text_of(out, name, value->bytes, value->length);
		break;
	case RAW:
		json_put_raw_of(out, name, value->bytes, value->length);
		break;
	default:
		json_put_null(out, name);
	}
}

static void
keep(struct request *rq, const struct kept *kept, const void *bytes)
{
	static const char padding[8];

	buf_put(&rq->kept, kept, sizeof(*kept));
	buf_put(&rq->kept, bytes, kept->length);
	buf_put(&rq->kept, padding, -kept->length % sizeof(padding));
	rq->kept_room += kept->name ? strlen(kept->name) : 0;
	rq->kept_room += PLAIN_ROOM + (kept->type == LATER ? LATER_ROOM : kept->type == TEXT ? 6 * kept->length : kept->length);
}

static void
put(struct request *rq, enum type type, const char *name, struct value value)
{
	if (!rq->keeps)
		write_one(rq->out, type, name, &value);
	else if (type == TEXT || type == RAW)
		keep(rq, &(struct kept){ name, .type = type, .length = value.length }, value.bytes);
	else
		keep(rq, &(struct kept){ name, .type = type, .bits = value.integer }, "");
}

/* ---- values */

void
data_object(struct request *rq, const char *name)
{
	put(rq, OBJECT, name, value_int(0));
}

void
data_end_object(struct request *rq)
{
	put(rq, END_OBJECT, NULL, value_int(0));
}

void
data_list(struct request *rq, const char *name)
{
	put(rq, LIST, name, value_int(0));
}

void
data_end_list(struct request *rq)
{
	put(rq, END_LIST, NULL, value_int(0));
}

void
data_text(struct request *rq, const char *name, const char *text)
{
	put(rq, text ? TEXT : NOTHING, name, text ? value_text(text) : value_int(0));
}

void
data_int(struct request *rq, const char *name, int64_t number)
{
	put(rq, INT, name, value_int(number));
}

void
data_number(struct request *rq, const char *name, double number)
{
	put(rq, NUMBER, name, value_real(number));
}

void
data_bool(struct request *rq, const char *name, bool truth)
{
	put(rq, BOOL, name, value_int(truth));
}

void
data_time(struct request *rq, const char *name, int64_t time)
{
	put(rq, TIME, name, value_int(time));
}

void
data_null(struct request *rq, const char *name)
{
	put(rq, NOTHING, name, value_int(0));
}

void
data_raw(struct request *rq, const char *name, const char *json, size_t length)
{
	put(rq, RAW, name, value_blob(json, length));
}

void
data_value(struct request *rq, const struct field *field, const struct value *value)
{
	enum field_type type = field->type;

	switch (value->type) {
	case VALUE_NULL:
		put(rq, NOTHING, field->name, value_int(0));
		break;
	case VALUE_BOOL:
		put(rq, BOOL, field->name, value_int(value->truth));
		break;
	case VALUE_INT:
		put(rq, type == FIELD_TIME ? TIME : type == FIELD_BOOL ? BOOL : INT, field->name, *value);
		break;
	case VALUE_REAL:
		put(rq, NUMBER, field->name, *value);
		break;
	default:
		put(rq, type == FIELD_JSON || type == FIELD_LIST || type == FIELD_OBJECT ? RAW : TEXT, field->name, *value);
	}
}

void
data_later(struct request *rq, const char *name, writer *write, const void *facts, size_t size)
{
	if (rq->keeps)
		keep(rq, &(struct kept){ name, write, LATER, size, 0 }, facts);
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
	put(rq, bracket == '{' ? OBJECT : LIST, "data", value_int(0));
}

void
data_keep(struct request *rq)
{
	rq->keeps = true;
	rq->kept = (struct buf){ .arena = rq->arena };
	rq->kept_room = RESPONSE_DATA_AT;
}

void
data_write(struct request *rq)
{
	const char *at = rq->kept.s, *end = at + rq->kept.length;
	struct kept kept;

	rq->keeps = false;
	begin_envelope(rq);
	for (; at < end; at += sizeof(kept) + kept.length + -kept.length % 8) {
		memcpy(&kept, at, sizeof(kept));
		const char *bytes = at + sizeof(kept);
		if (kept.type == LATER)
			kept.write(rq, kept.name, bytes);
		else if (kept.type == TEXT || kept.type == RAW)
			put(rq, kept.type, kept.name, value_blob(bytes, kept.length));
		else
			put(rq, kept.type, kept.name, value_int(kept.bits));
	}
}

bool
data_reserve(struct request *rq)
{
	buf_reset(rq->out, SIZE_MAX);
	return !rq->kept.failed && buf_room(rq->out, rq->kept_room);
}

bool
data_failed(const struct request *rq)
{
	return rq->keeps ? rq->kept.failed : rq->out->failed;
}
