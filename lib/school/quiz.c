#include "quiz.h"

#include "encode.h"
#include "json_write.h"

#include <math.h>

/*
 * A key: a byte for the format, the number of questions, then for each question a record of 24 bytes, then the ids
 * of all options in the order of their questions, 12 bytes each. Numbers are little-endian.
 *
 *	record: id 12, digits of the points 8, how many of them are decimals 2 (signed), options 1, the right one 1 (from 1)
 */
#define FORMAT 1
#define HEAD_SIZE 3
#define RECORD_SIZE 24
#define ID_SIZE 12

/* 20,000 times the sum of 200 numbers below 10^31 fits 127 bits. */
#define SCALED_DIGITS 31

typedef unsigned __int128 wide;

/* ---- shapes */

/* clang-format off */
const struct shape quiz_answer = { .name = "AnswerDto", .fields = FIELDS(
	[QUIZ_ANSWER_QUESTION] = { "questionId", FIELD_ID },
	[QUIZ_ANSWER_OPTION] = { "optionId", FIELD_ID }) };

static const struct shape quiz_option = { .name = "OptionDto", .fields = FIELDS(
	[QUIZ_OPTION_TEXT] = { "text", FIELD_TEXT, 1, QUIZ_OPTION_TEXT_MAX, .lines = true, .example = "\"went\"" },
	[QUIZ_OPTION_RIGHT] = { "isCorrect", FIELD_BOOL }) };

const struct shape quiz_question = { .name = "QuestionDto", .fields = FIELDS(
	[QUIZ_QUESTION_TEXT] = { "text", FIELD_TEXT, 1, QUIZ_TEXT_MAX, .lines = true,
	  .example = "\"Yesterday I ___ home.\"" },
	[QUIZ_QUESTION_POINTS] = { "points", FIELD_NUMBER, 0, QUIZ_POINTS_MAX, .above_min = true, .optional = true,
	  .note = "above 0; 1 unless given", .example = "1" },
	[QUIZ_QUESTION_MEDIA] = { "mediaUrl", FIELD_URL, .optional = true, .nullable = true },
	[QUIZ_QUESTION_OPTIONS] = { "options", FIELD_LIST, 2, QUIZ_OPTIONS_MAX, .of = &quiz_option,
	  .note = "exactly one correct" }) };

const struct shape quiz_range = { .name = "LevelRangeDto", .fields = FIELDS(
	[QUIZ_RANGE_LEVEL] = { "level", FIELD_ENUM, .oneof = level_enum },
	[QUIZ_RANGE_MIN] = { "minScore", FIELD_NUMBER, 0, 100 },
	[QUIZ_RANGE_MAX] = { "maxScore", FIELD_NUMBER, 0, 100 }) };
/* clang-format on */

struct value
quiz_values(struct arena *arena, const char *stored)
{
	static const struct field list = { .type = FIELD_LIST, .of = &quiz_question };
	enum json_fault fault;

	return field_value(arena, &list, json_parse(arena, stored, strlen(stored), JSON_DEPTH, &fault));
}

/* ---- writing */

static void
put_little(struct buf *out, uint64_t number, int bytes)
{
	while (bytes-- > 0) {
		buf_putc(out, (char)(number & 0xff));
		number >>= 8;
	}
}

static uint64_t
get_little(const unsigned char *in, int bytes)
{
	uint64_t number = 0;

	while (bytes-- > 0)
		number = number << 8 | in[bytes];
	return number;
}

struct decimal {
	uint64_t digits; /* at most 17 */
	int decimals;	 /* the number is digits / 10^decimals */
};

/* As buf_number() wrote it, without zeros at the end. */
static struct decimal
decimal_of(struct json_text number)
{
	struct decimal decimal = { 0 };
	bool fraction = false;

	for (size_t i = 0; i < number.length; i++) {
		if (number.s[i] == 'e') {
			decimal.decimals -= (int)strtol(number.s + i + 1, NULL, 10);
			break;
		}
		if (number.s[i] == '.') {
			fraction = true;
			continue;
		}
		decimal.digits = decimal.digits * 10 + (uint64_t)(number.s[i] - '0');
		decimal.decimals += fraction;
	}
	for (; decimal.digits > 0 && decimal.digits % 10 == 0; decimal.decimals--)
		decimal.digits /= 10;
	return decimal;
}

static void
put_id(struct buf *out, struct json_text text)
{
	unsigned char id[ID_SIZE] = { 0 };
	char digits[2 * ID_SIZE + 1] = "";

	if (text.length == 2 * ID_SIZE + 2)
		memcpy(digits, text.s + 1, 2 * ID_SIZE);
	(void)decode_hex(id, sizeof(id), digits);
	buf_put(out, id, sizeof(id));
}

void
quiz_key(struct buf *out, const char *stored)
{
	struct buf records = { .arena = out->arena }, option_ids = records;
	struct quiz_question question;
	int count = 0;

	for (; quiz_next(&stored, &question); count++) {
		struct decimal points = decimal_of(question.points);
		put_id(&records, question.id);
		put_little(&records, points.digits, 8);
		put_little(&records, (uint64_t)(int64_t)points.decimals, 2);
		put_little(&records, (uint64_t)question.options, 1);
		put_little(&records, (uint64_t)question.right, 1);
		for (int i = 0; i < question.options; i++)
			put_id(&option_ids, question.option[i].id);
	}
	put_little(out, FORMAT, 1);
	put_little(out, (uint64_t)count, 2);
	buf_put(out, records.s, records.length);
	buf_put(out, option_ids.s, option_ids.length);
}

/* ---- reading */

struct question {
	const unsigned char *id;
	struct decimal points;
	int options, right;
	const unsigned char *option_ids;
};

/* Parses a key. Returns the number of questions; 0 when the bytes are no key. */
static int
read_key(struct value key, struct question questions[static QUIZ_QUESTIONS_MAX])
{
	const unsigned char *in = key.bytes;
	const size_t length = key.length;
	size_t count, options = 0;

	if (key.type != VALUE_BLOB || length < HEAD_SIZE || in[0] != FORMAT)
		return 0;
	count = (size_t)get_little(in + 1, 2);
	if (count > QUIZ_QUESTIONS_MAX || length < HEAD_SIZE + count * RECORD_SIZE)
		return 0;
	for (size_t i = 0; i < count; i++) {
		const unsigned char *record = in + HEAD_SIZE + i * RECORD_SIZE;
		questions[i] = (struct question){ record, { get_little(record + 12, 8), (int16_t)get_little(record + 20, 2) },
			record[22], record[23], in + HEAD_SIZE + count * RECORD_SIZE + options * ID_SIZE };
		options += record[22];
	}
	return length == HEAD_SIZE + count * RECORD_SIZE + options * ID_SIZE ? (int)count : 0;
}

static bool
read_id(struct value value, unsigned char id[static ID_SIZE])
{
	const char *text = value_string(value);

	return text && strlen(text) == 2 * ID_SIZE && decode_hex(id, ID_SIZE, text);
}

/* Searches from `start` on and wraps around: answers mostly come in the order of the questions. */
static int
find_question(const struct question *questions, int count, const unsigned char *id, int start)
{
	for (int i = 0; i < count; i++) {
		int at = start + i < count ? start + i : start + i - count;
		if (memcmp(questions[at].id, id, ID_SIZE) == 0)
			return at;
	}
	return -1;
}

/* The number of the option from 1; 0 when the question has no such option. */
static int
find_option(const struct question *question, const unsigned char *id)
{
	for (int i = 0; i < question->options; i++)
		if (memcmp(question->option_ids + i * ID_SIZE, id, ID_SIZE) == 0)
			return i + 1;
	return 0;
}

static void
fault_at(struct faults *faults, const char *list, int index, const char *field, enum sentence which, const char *argument)
{
	char name[64];

	snprintf(name, sizeof(name), "%s[%d].%s", list, index, field);
	faults_add(faults, name, which, argument);
}

int
quiz_read(struct value key, struct value answers, unsigned char chosen[static QUIZ_QUESTIONS_MAX], struct faults *faults)
{
	struct question questions[QUIZ_QUESTIONS_MAX];
	int count = read_key(key, questions), at = 0;

	memset(chosen, 0, QUIZ_QUESTIONS_MAX);
	for (int index = 0; index < (int)answers.count; index++) {
		const struct value *answer = answers.items[index].items;
		unsigned char question[ID_SIZE], option[ID_SIZE];
		int found = -1, picked = 0;
		if (read_id(answer[QUIZ_ANSWER_QUESTION], question))
			found = find_question(questions, count, question, at);
		if (found >= 0 && read_id(answer[QUIZ_ANSWER_OPTION], option))
			picked = find_option(&questions[found], option);
		if (found < 0)
			fault_at(faults, "answers", index, "questionId", S_F_NO_QUESTION, NULL);
		else if (chosen[found])
			fault_at(faults, "answers", index, "questionId", S_F_QUESTION_TWICE, NULL);
		else if (!picked)
			fault_at(faults, "answers", index, "optionId", S_F_NO_OPTION, NULL);
		else
			chosen[found] = (unsigned char)picked;
		at = found + 1;
	}
	return count;
}

/* ---- stored questions */

/* Past white space, commas and colons: nothing else is between values in JSON that okul has written. */
static const char *
next_token(const char *s)
{
	while (*s == ',' || *s == ':' || *s == ' ' || *s == '\t' || *s == '\r' || *s == '\n')
		s++;
	return s;
}

static const char *
skip_string(const char *s)
{
	for (s++; *(s += strcspn(s, "\"\\")) == '\\'; s++)
		s += s[1] != '\0';
	return *s ? s + 1 : s;
}

/* The end of the value that begins at `s`. */
static const char *
skip_value(const char *s)
{
	int depth = 0;

	do {
		if (*s == '"') {
			s = skip_string(s);
			continue;
		}
		if (*s == '{' || *s == '[')
			depth++;
		else if (*s == '}' || *s == ']')
			depth--;
		else if (depth == 0)
			return s + strcspn(s, ",]} \t\r\n");
		s += *s != '\0';
	} while (*s && depth > 0);
	return s;
}

static bool
is_name(const char *s, const char *name)
{
	size_t length = strlen(name);

	return strncmp(s + 1, name, length) == 0 && s[length + 1] == '"';
}

static const char *split_options(const char *s, struct quiz_question *question);

/* Reads a question (`option` 0) or one of its options, and returns the end of it. */
static const char *
split_object(const char *s, struct quiz_question *question, int option)
{
	struct json_text *id = option ? &question->option[option - 1].id : &question->id;
	struct json_text *text = option ? &question->option[option - 1].text : &question->text;

	for (s = next_token(s + 1); *s == '"'; s = next_token(s)) {
		const char *name = s, *value = next_token(skip_string(s));
		struct json_text *to = is_name(name, "id") ? id
			: is_name(name, "text")		   ? text
			: option			   ? NULL
			: is_name(name, "points")	   ? &question->points
			: is_name(name, "mediaUrl")	   ? &question->media
							   : NULL;
		if (option && is_name(name, "isCorrect") && *value == 't')
			question->right = option;
		s = !option && *value == '[' && is_name(name, "options") ? split_options(value, question) : skip_value(value);
		if (to)
			*to = (struct json_text){ value, (size_t)(s - value) };
	}
	return *s ? s + 1 : s;
}

static const char *
split_options(const char *s, struct quiz_question *question)
{
	for (s = next_token(s + 1); *s == '{' && question->options < QUIZ_OPTIONS_MAX; s = next_token(s)) {
		question->options++;
		s = split_object(s, question, question->options);
	}
	return *s ? s + 1 : s;
}

bool
quiz_next(const char **at, struct quiz_question *question)
{
	const char *s = next_token(*at);

	if (*s == '[')
		s = next_token(s + 1);
	if (*s != '{')
		return false;
	*question = (struct quiz_question){ { "\"\"", 2 }, { "\"\"", 2 }, { "1", 1 }, { "null", 4 } };
	*at = split_object(s, question, 0);
	return true;
}

int
quiz_split(const char *text, struct quiz_question *questions, int most)
{
	struct quiz_question question;
	int count = 0;

	while (count < most && quiz_next(&text, questions ? &questions[count] : &question))
		count++;
	return count;
}

/* ---- grading */

static int
count_digits(uint64_t number)
{
	int digits = 0;

	for (; number > 0; number /= 10)
		digits++;
	return digits;
}

/* digits x 10^exponent, truncated to an integer, which must fit. */
static wide
scaled(uint64_t digits, int exponent)
{
	wide number = digits;

	for (; exponent > 0; exponent--)
		number *= 10;
	for (; exponent < 0 && number > 0; exponent++)
		number /= 10;
	return number;
}

/* The power of ten that makes integers of all points, or of the largest ones. */
static int
common_scale(const struct question *questions, int count)
{
	int decimals = 0, top = INT16_MIN;

	for (int i = 0; i < count; i++) {
		const struct decimal *points = &questions[i].points;
		if (points->digits == 0)
			continue;
		if (points->decimals > decimals)
			decimals = points->decimals;
		if (count_digits(points->digits) - points->decimals > top)
			top = count_digits(points->digits) - points->decimals;
	}
	return decimals < SCALED_DIGITS - top ? decimals : SCALED_DIGITS - top;
}

/* The last range that begins at `score` or below; `ranges` are stored ones. */
static const char *
level_of(const char *ranges, double score)
{
	const char *level = level_enum[0];

	for (const char *s = ranges ? next_token(ranges + 1) : ""; *s == '{'; s = next_token(s + (*s != '\0'))) {
		const char *name = NULL;
		double min = INFINITY;
		for (s = next_token(s + 1); *s == '"';) {
			const char *value = next_token(skip_string(s));
			if (is_name(s, "level"))
				name = value;
			else if (is_name(s, "minScore"))
				min = strtod(value, NULL);
			s = next_token(skip_value(value));
		}
		for (int i = 0; name && min <= score && level_enum[i]; i++)
			if (is_name(name, level_enum[i]))
				level = level_enum[i];
	}
	return level;
}

struct quiz_grade
quiz_grade(struct value key, const unsigned char *chosen, const char *ranges)
{
	struct question questions[QUIZ_QUESTIONS_MAX];
	struct quiz_grade grade = { .questions = read_key(key, questions) };
	int scale = common_scale(questions, grade.questions);
	wide won = 0, possible = 0;

	for (int i = 0; i < grade.questions; i++) {
		wide points = scaled(questions[i].points.digits, scale - questions[i].points.decimals);
		possible += points;
		if (chosen[i] && chosen[i] == questions[i].right) {
			won += points;
			grade.correct++;
		}
	}
	/* In hundredths by one integer division, then the double nearest to that decimal by one division. */
	if (possible > 0)
		grade.score = (double)(uint64_t)((won * 20000 + possible) / (possible * 2)) / 100;
	grade.level = level_of(ranges, grade.score);
	return grade;
}

/* ---- checking a test */

/*
 * True where `start` is `end`, or one above: 1 + 33.3 may differ from 34.3 in its last bit. A decimal up to 100 is
 * off by at most 2^-47 as a double: two of them by less than this.
 */
static bool
joins(double end, double start)
{
	return start == end || fabs(start - end - 1) < 1e-13;
}

static void
fault_number(struct faults *faults, int index, const char *field, enum sentence which, double number)
{
	struct buf text = { .arena = faults->arena };

	buf_number(&text, number);
	fault_at(faults, "levelRanges", index, field, which, text.s);
}

void
quiz_check_ranges(struct value ranges, struct faults *faults)
{
	const int count = ranges.type == VALUE_LIST ? (int)ranges.count : 0;
	double end = 0, start = 0;
	bool known = false; /* where the range before ends */

	for (int i = 0; i < count; i++) {
		const struct value *range = ranges.items[i].type == VALUE_OBJECT ? ranges.items[i].items : NULL;
		double min = range ? value_number(range[QUIZ_RANGE_MIN], NAN) : NAN;
		double max = range ? value_number(range[QUIZ_RANGE_MAX], NAN) : NAN;
		bool whole = !isnan(min) && !isnan(max);
		if (!whole) {
			/* field_read() has found it */
		} else if (i == 0 && min != 0) {
			fault_at(faults, "levelRanges", i, "minScore", S_F_RANGE_FIRST, NULL);
		} else if (i > 0 && known && !(joins(end, min) && min > start)) {
			fault_number(faults, i, "minScore", S_F_RANGE_NEXT, end);
		} else if (max < min) {
			fault_number(faults, i, "maxScore", S_F_LOW, min);
		} else if (i == count - 1 && max != 100) {
			fault_at(faults, "levelRanges", i, "maxScore", S_F_RANGE_LAST, NULL);
		}
		known = whole;
		end = max;
		start = min;
	}
}

static bool
is_right(struct value option)
{
	return option.type == VALUE_OBJECT && value_truth(option.items[QUIZ_OPTION_RIGHT], false);
}

void
quiz_check_questions(struct value questions, struct faults *faults)
{
	for (size_t i = 0; questions.type == VALUE_LIST && i < questions.count; i++) {
		const struct value *question = questions.items[i].items;
		int right = 0;
		if (questions.items[i].type != VALUE_OBJECT || question[QUIZ_QUESTION_OPTIONS].type != VALUE_LIST)
			continue;
		const struct value options = question[QUIZ_QUESTION_OPTIONS];
		for (size_t o = 0; o < options.count; o++)
			right += is_right(options.items[o]);
		if (right != 1)
			fault_at(faults, "questions", (int)i, "options", S_F_ONE_RIGHT, NULL);
	}
}

/* ---- answers of a result */

void
quiz_put_answer(struct buf *out, const struct quiz_question *question, int chosen, bool graded)
{
	static const struct json_text nothing = { "0", 1 };
	const bool right = chosen == question->right;
	const struct json_text points = right ? question->points : nothing;

	if (chosen == 0 || chosen > question->options)
		return;
	const struct quiz_option *option = &question->option[chosen - 1];
	json_put_object(out, NULL);
	json_put_raw_of(out, "questionId", question->id.s, question->id.length);
	json_put_raw_of(out, "questionText", question->text.s, question->text.length);
	json_put_raw_of(out, "optionId", option->id.s, option->id.length);
	json_put_raw_of(out, "optionText", option->text.s, option->text.length);
	if (graded) {
		json_put_bool(out, "isCorrect", right);
		json_put_raw_of(out, "points", points.s, points.length);
	}
	json_put_end_object(out);
}

/* ---- the order of an attempt */

/* SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014). */
static uint64_t
next_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Below `limit`, without bias: a number above the last whole multiple of it is drawn again. */
static int
below(uint64_t *seed, uint64_t limit)
{
	uint64_t number;

	do {
		number = next_random(seed);
	} while (number >= UINT64_MAX - UINT64_MAX % limit);
	return (int)(number % limit);
}

/* Fisher-Yates (R. Durstenfeld, CACM 7, 1964, Algorithm 235). */
void
quiz_shuffle(uint64_t *seed, int count, unsigned char *order)
{
	for (int i = 0; i < count; i++)
		order[i] = (unsigned char)i;
	for (int i = count - 1; i > 0; i--) {
		int other = below(seed, (uint64_t)i + 1);
		unsigned char kept = order[i];
		order[i] = order[other];
		order[other] = kept;
	}
}
