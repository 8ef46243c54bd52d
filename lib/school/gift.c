#include "gift.h"

#include "entity.h"
#include "quiz.h"
#include "url.h"
#include "utf8.h"

#include <math.h>

#define GAP "_____"

/*
 * A part of a question with its escapes resolved. An escaped byte is not a sign: `plain` has a byte for each of
 * `s`, 1 where it was escaped.
 */
struct span {
	const char *s, *plain;
	size_t length;
};

struct reader {
	struct arena *arena;
	struct gift *gift;
	struct buf text, plain; /* of the current question */
	size_t line, start;	/* the current line, and the first of the question */
	double points;		/* for the next question; 0: not given */
	const char *media;
	struct value *questions; /* gift->questions.items */
	bool full;		 /* there are more questions than a test may have */
};

/* Keeps the order of lines: a comment inside a question is read before the question is. */
static void
note(struct reader *reader, struct gift_notes *notes, size_t line, enum sentence what)
{
	struct gift_note **link = &notes->first;

	if (notes->count++ >= GIFT_NOTES_MAX)
		return;
	while (*link && (*link)->line <= line)
		link = &(*link)->next;
	struct gift_note *new = arena_alloc(reader->arena, sizeof(*new));
	*new = (struct gift_note){ line, what, *link };
	*link = new;
}

/* Returns false, for `return refuse(...)`. */
static bool
refuse(struct reader *reader, enum sentence what)
{
	note(reader, &reader->gift->faults, reader->start, what);
	return false;
}

/* ---- spans */

/* The first `sign` from `from` on; the length when there is none. */
static size_t
find(const struct span *span, size_t from, char sign)
{
	while (from < span->length && (span->s[from] != sign || span->plain[from]))
		from++;
	return from;
}

static bool
begins_at(const struct span *span, size_t at, const char *signs)
{
	for (; *signs; signs++, at++)
		if (at >= span->length || span->s[at] != *signs || span->plain[at])
			return false;
	return true;
}

static bool
has(const struct span *span, const char *signs)
{
	for (size_t i = 0; i < span->length; i++)
		if (begins_at(span, i, signs))
			return true;
	return false;
}

static bool
is_space(const struct span *span, size_t at)
{
	return strchr(" \t\n", span->s[at]) && !span->plain[at];
}

static struct span
part(const struct span *span, size_t from, size_t to)
{
	struct span part = { span->s + from, span->plain + from, to - from };

	while (part.length > 0 && is_space(&part, 0))
		part = (struct span){ part.s + 1, part.plain + 1, part.length - 1 };
	while (part.length > 0 && is_space(&part, part.length - 1))
		part.length--;
	return part;
}

/* ---- HTML */

static bool
is_one_of(const char *name, size_t length, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == length && strncasecmp(name, *names, length) == 0)
			return true;
	return false;
}

/* Ends the line, unless it is empty. */
static void
put_line_end(struct buf *out)
{
	while (out->length > 0 && out->s[out->length - 1] == ' ')
		out->length--;
	if (out->length > 0 && out->s[out->length - 1] != '\n')
		buf_putc(out, '\n');
}

/*
 * Length of the tag or comment that `s` begins with; 0 when it is none. `unclosed` remembers that a tag or a comment
 * had no end: then later ones have none either, and a search for each of a million signs would take minutes.
 */
static size_t
tag_length(const char *s, size_t left, bool unclosed[static 2])
{
	bool comment = left > 3 && memcmp(s, "<!--", 4) == 0;
	char first = left > 1 ? s[1] : ' ', lower = (char)(first | 0x20);

	if (unclosed[comment] || (first != '/' && first != '!' && (lower < 'a' || lower > 'z')))
		return 0;
	const char *end = comment ? memmem(s + 4, left - 4, "-->", 3) : memchr(s, '>', left);
	unclosed[comment] = !end;
	return end ? (size_t)(end - s) + (comment ? 3 : 1) : 0;
}

/* Elements that format texts. Outside [html] any other name is not a tag: "a <b> c" has one, "<your name>" is none. */
static const char *const inline_elements[] = { "a", "abbr", "b", "big", "center", "code", "del", "em", "font", "hr", "i", "ins",
	"mark", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "tbody", "td", "th", "thead", "tt", "u", NULL };
static const char *const line_elements[] = { "br", "p", "div", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5",
	"h6", "pre", "blockquote", NULL };
static const char *const media_elements[] = { "img", "audio", "video", "iframe", "object", "embed", "svg", "canvas", NULL };

/*
 * Appends the text that a browser would show. False when it would show more than text. With `html` white space
 * collapses to one space; without, lines end where they end in the file, as in Moodle's other formats, which may
 * have HTML too.
 */
static bool
put_html(struct buf *out, const char *s, size_t length, bool html)
{
	bool unclosed[2] = { false };

	for (size_t i = 0, step; i < length; i += step) {
		if (s[i] == '<' && (step = tag_length(s + i, length - i, unclosed)) > 0) {
			const char *name = s + i + 1 + (s[i + 1] == '/');
			size_t name_length = strcspn(name, " \t\n/>");
			bool line = is_one_of(name, name_length, line_elements);
			if (is_one_of(name, name_length, media_elements))
				return false;
			if (line)
				put_line_end(out);
			else if (!html && s[i + 1] != '!' && !is_one_of(name, name_length, inline_elements))
				buf_put(out, s + i, step);
		} else if (s[i] == '&' && (step = buf_entity(out, s + i, length - i)) > 0) {
			/* done */
		} else {
			bool space = html && strchr(" \t\n", s[i]);
			step = 1;
			if (!space)
				buf_putc(out, s[i]);
			else if (out->length > 0 && !strchr(" \n", out->s[out->length - 1]))
				buf_putc(out, ' ');
		}
	}
	return true;
}

/* ---- texts of questions and answers */

enum format { MOODLE, HTML, PLAIN, MARKDOWN };

static const char *const formats[] = {
	[MOODLE] = "[moodle]",
	[HTML] = "[html]",
	[PLAIN] = "[plain]",
	[MARKDOWN] = "[markdown]",
};

/* Replaces control characters: what Word writes for the end of a line (VT), and others. */
static void
blank_controls(struct buf *text)
{
	for (size_t i = 0, step; i < text->length; i += step) {
		step = utf8_sequence(text->s + i, text->length - i);
		bool c1 = step == 2 && text->s[i] == '\xc2' && (unsigned char)text->s[i + 1] < 0xa0;
		if (c1 || text->s[i] == 0x7f || (step == 1 && (unsigned char)text->s[i] < ' ' && !strchr("\t\n", text->s[i])))
			memset(text->s + i, ' ', step);
		step += step == 0;
	}
}

/*
 * The text in its final form, which may be empty; NULL when it has more than `max` code points. `*format` is the
 * default format, and is set to that of the text; `*media` becomes true when it has more than text.
 */
static const char *
read_text(struct reader *reader, const char *s, size_t length, size_t max, enum format *format, bool *media)
{
	struct buf text = { .arena = reader->arena };

	for (size_t i = 0; i < COUNT(formats); i++) {
		size_t tag = strlen(formats[i]);
		if (length < tag || memcmp(s, formats[i], tag) != 0)
			continue;
		*format = (enum format)i;
		s += tag;
		length -= tag;
		break;
	}
	if (*format == PLAIN)
		buf_put(&text, s, length);
	else if (!put_html(&text, s, length, *format == HTML))
		*media = true;
	blank_controls(&text);
	const char *trimmed = text.s ? text.s : "";
	size_t left = text.length;
	utf8_trim(&trimmed, &left);
	return utf8_points(trimmed, left) <= max ? arena_copy(reader->arena, trimmed, left) : NULL;
}

struct question {
	const char *text, *options[QUIZ_OPTIONS_MAX];
	int count, right;
	enum format format;
};

static struct value
options_of(struct reader *reader, const struct question *question)
{
	struct value *options = arena_alloc(reader->arena, (size_t)question->count * sizeof(*options));

	for (int i = 0; i < question->count; i++) {
		struct value *option = arena_alloc(reader->arena, QUIZ_OPTION_FIELDS * sizeof(*option));
		option[QUIZ_OPTION_TEXT] = value_text(question->options[i]);
		option[QUIZ_OPTION_RIGHT] = value_bool(i == question->right);
		options[i] = value_object(option, QUIZ_OPTION_FIELDS);
	}
	return value_list(options, (size_t)question->count);
}

static bool
keep(struct reader *reader, const struct question *question)
{
	struct value *fields = arena_alloc(reader->arena, QUIZ_QUESTION_FIELDS * sizeof(*fields));

	reader->full = reader->gift->questions.count == QUIZ_QUESTIONS_MAX;
	if (reader->full)
		return refuse(reader, S_GIFT_MANY);
	fields[QUIZ_QUESTION_TEXT] = value_text(question->text);
	fields[QUIZ_QUESTION_POINTS] = value_real(reader->points > 0 ? reader->points : 1);
	fields[QUIZ_QUESTION_MEDIA] = value_text(reader->media);
	fields[QUIZ_QUESTION_OPTIONS] = options_of(reader, question);
	reader->questions[reader->gift->questions.count++] = value_object(fields, QUIZ_QUESTION_FIELDS);
	return true;
}

/* ---- answers */

/* %100%, %-50%, %33.333% before an answer: removes and returns it; else returns `weight`. */
static double
read_weight(struct span *answer, double weight)
{
	char number[24] = "";
	size_t end = answer->length > 0 && answer->s[0] == '%' ? 1 : 0, length;

	while (end > 0 && end < answer->length && answer->s[end] != '%')
		end++;
	length = end > 0 ? end - 1 : 0;
	if (end == answer->length || length == 0 || length >= sizeof(number))
		return weight;
	memcpy(number, answer->s + 1, length);
	const char *digits = number + strspn(number, "-");
	if (digits[0] < '0' || digits[0] > '9' || digits[strspn(digits, "0123456789.")])
		return weight;
	*answer = part(answer, end + 1, answer->length);
	weight = strtod(digits, NULL);
	return digits > number ? -weight : weight;
}

/* One answer with its feedback; `weight` is that of its sign. One without text is dropped, as in Moodle: {~are~=am}. */
static bool
read_answer(struct reader *reader, struct question *question, const struct span *whole, double weight)
{
	struct span answer = part(whole, 0, find(whole, 0, '#'));
	enum format format = question->format;
	bool media = false;

	weight = read_weight(&answer, weight);
	const char *text = read_text(reader, answer.s, answer.length, QUIZ_OPTION_TEXT_MAX, &format, &media);
	if (media || !text)
		return refuse(reader, media ? S_GIFT_MEDIA : S_GIFT_OPTION);
	if (!text[0])
		return true;
	if (question->count == QUIZ_OPTIONS_MAX)
		return refuse(reader, S_GIFT_OPTIONS);
	if ((weight > 0 && weight != 100) || (weight == 100 && question->right >= 0))
		return refuse(reader, S_GIFT_WEIGHTS);
	if (weight == 100)
		question->right = question->count;
	question->options[question->count++] = text;
	return true;
}

static bool
read_choice(struct reader *reader, struct question *question, const struct span *answers)
{
	size_t at = 0, end;
	double weight = 0;

	for (;; at = end + 1) {
		size_t wrong = find(answers, at, '~'), right = find(answers, at, '=');
		end = wrong < right ? wrong : right;
		struct span answer = part(answers, at, end);
		if (!read_answer(reader, question, &answer, weight))
			return false;
		if (end == answers->length)
			break;
		weight = end == right ? 100 : 0;
	}
	if (question->count < 2)
		return refuse(reader, S_GIFT_OPTIONS);
	return question->right >= 0 ? keep(reader, question) : refuse(reader, S_GIFT_WEIGHTS);
}

/* 1 for true, 0 for false, -1 for neither. */
static int
truth_of(const struct span *answers)
{
	static const char *const yes[] = { "T", "TRUE", NULL }, *const no[] = { "F", "FALSE", NULL };
	struct span word = part(answers, 0, find(answers, 0, '#'));

	return is_one_of(word.s, word.length, yes) ? 1 : is_one_of(word.s, word.length, no) ? 0 : -1;
}

static bool
read_answers(struct reader *reader, struct question *question, struct span answers)
{
	/* #### begins the feedback to the question as a whole. */
	for (size_t i = answers.length; i-- > 0;) {
		if (begins_at(&answers, i, "####")) {
			answers = part(&answers, 0, i);
			break;
		}
	}
	int truth = truth_of(&answers);
	if (answers.length == 0)
		return refuse(reader, S_GIFT_ESSAY);
	if (begins_at(&answers, 0, "#"))
		return refuse(reader, S_GIFT_NUMERICAL);
	if (has(&answers, "~"))
		return read_choice(reader, question, &answers);
	if (has(&answers, "=") && has(&answers, "->"))
		return refuse(reader, S_GIFT_MATCHING);
	if (truth < 0)
		return refuse(reader, S_GIFT_SHORT);
	question->options[0] = "True";
	question->options[1] = "False";
	question->count = 2;
	question->right = truth ? 0 : 1;
	return keep(reader, question);
}

/* ---- questions */

/* The text behind ::name::, stored in `*name`. A name that is not closed loses its colons, as in Moodle. */
static struct span
skip_name(const struct span *text, struct span *name)
{
	if (!begins_at(text, 0, "::"))
		return *text;
	for (size_t i = 2; i < text->length; i++) {
		if (begins_at(text, i, "::")) {
			*name = part(text, 2, i);
			return part(text, i + 2, text->length);
		}
	}
	return part(text, 2, text->length);
}

static size_t
run_of(const struct span *span, size_t at, const char *signs)
{
	size_t from = at;

	while (at < span->length && span->s[at] && !span->plain[at] && strchr(signs, span->s[at]))
		at++;
	return at - from;
}

/*
 * True for "1:MULTICHOICE:" and the like behind a brace: a gap of a Cloze question, whose types have names of
 * letters and _ (Moodle has 26, plugins add more), with or without a weight. No answer begins so.
 */
static bool
is_cloze(const struct span *text, size_t at)
{
	static const char space[] = " \t\n", letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
	size_t kind;

	at += run_of(text, at, space);
	at += run_of(text, at, "0123456789.,");
	at += run_of(text, at, space);
	if (!begins_at(text, at, ":"))
		return false;
	at += 1 + run_of(text, at + 1, space);
	kind = run_of(text, at, letters);
	at += kind;
	return kind > 0 && begins_at(text, at + run_of(text, at, space), ":");
}

static bool
has_cloze(const struct span *text)
{
	for (size_t i = find(text, 0, '{'); i < text->length; i = find(text, i + 1, '{'))
		if (is_cloze(text, i + 1))
			return true;
	return false;
}

/* Sets the text, or the name where there is none. False where there is neither, or the text cannot be imported. */
static bool
read_words(struct reader *reader, struct question *question, const struct span *text, struct span name, size_t open, size_t close)
{
	struct buf words = { .arena = reader->arena };
	bool media = false;

	buf_put(&words, text->s, open);
	/* Answers inside a text are a gap in it. */
	buf_puts(&words, close + 1 < text->length ? GAP : "");
	buf_put(&words, text->s + close + 1, text->length - close - 1);
	question->text = read_text(reader, words.s ? words.s : "", words.length, QUIZ_TEXT_MAX, &question->format, &media);
	if (!media && question->text && !question->text[0]) {
		enum format plain = PLAIN;
		question->text = read_text(reader, name.s, name.length, QUIZ_TEXT_MAX, &plain, &media);
	}
	if (media || !question->text || !question->text[0])
		return refuse(reader, media ? S_GIFT_MEDIA : S_GIFT_TEXT);
	return true;
}

static bool
read_question(struct reader *reader)
{
	const struct span all = { reader->text.s, reader->plain.s, reader->text.length };
	struct span text = part(&all, 0, all.length), name = part(&all, 0, 0);
	struct question question = { .right = -1 };

	text = skip_name(&text, &name);
	if (has_cloze(&text))
		return refuse(reader, S_GIFT_CLOZE);
	size_t open = find(&text, 0, '{'), close = find(&text, 0, '}');
	if (open == text.length && close == text.length)
		return refuse(reader, S_GIFT_DESCRIPTION);
	if (close == text.length || open > close || find(&text, open + 1, '{') < text.length ||
		find(&text, close + 1, '}') < text.length)
		return refuse(reader, S_GIFT_BRACES);
	return read_words(reader, &question, &text, name, open, close) &&
		read_answers(reader, &question, part(&text, open + 1, close));
}

static void
end_question(struct reader *reader)
{
	if (reader->text.length == 0)
		return;
	(void)read_question(reader);
	buf_reset(&reader->text, SIZE_MAX);
	buf_reset(&reader->plain, SIZE_MAX);
	reader->points = 0;
	reader->media = NULL;
}

/* ---- lines */

/* "points 2.5" or "media URL" behind "// okul:". */
static bool
read_comment(struct reader *reader, const char *s, size_t length)
{
	const char *line = arena_copy(reader->arena, s, length);
	char *end;

	if (strncmp(line, "media ", 6) == 0) {
		reader->media = line + 6 + strspn(line + 6, " \t");
		return strlen(reader->media) <= FIELD_URL_MAX && url_is_good(reader->media);
	}
	if (strncmp(line, "points ", 7) != 0 || line[7 + strspn(line + 7, "0123456789.e+-")])
		return false;
	reader->points = strtod(line + 7, &end);
	return end > line + 7 && *end == '\0' && isfinite(reader->points) && reader->points > 0 &&
		reader->points <= QUIZ_POINTS_MAX;
}

static void
skip_comment(struct reader *reader, const char *s, size_t length)
{
	static const char ours[] = "okul:";

	utf8_trim(&s, &length);
	if (length < strlen(ours) || memcmp(s, ours, strlen(ours)) != 0)
		return;
	s += strlen(ours);
	length -= strlen(ours);
	utf8_trim(&s, &length);
	if (read_comment(reader, s, length))
		return;
	note(reader, &reader->gift->faults, reader->line, S_GIFT_COMMENT);
	reader->points = 0;
	reader->media = NULL;
}

static void
add_line(struct reader *reader, const char *s, size_t length)
{
	static const char escaped[] = "\\:#={}~n";

	if (reader->text.length == 0) {
		reader->start = reader->line;
	} else {
		buf_putc(&reader->text, '\n');
		buf_putc(&reader->plain, '\0');
	}
	for (size_t i = 0; i < length; i++) {
		bool plain = s[i] == '\\' && i + 1 < length && strchr(escaped, s[i + 1]) && s[i + 1];
		char c = plain ? s[++i] : s[i];
		buf_putc(&reader->text, plain && c == 'n' ? '\n' : c);
		buf_putc(&reader->plain, plain);
	}
}

static void
read_line(struct reader *reader, const char *s, size_t length)
{
	static const char category[] = "$CATEGORY:";

	reader->line++;
	utf8_trim(&s, &length);
	if (length == 0)
		end_question(reader);
	else if (length >= 2 && memcmp(s, "//", 2) == 0)
		skip_comment(reader, s + 2, length - 2);
	else if (reader->text.length == 0 && length >= strlen(category) && memcmp(s, category, strlen(category)) == 0)
		note(reader, &reader->gift->dropped, reader->line, S_GIFT_CATEGORY);
	else
		add_line(reader, s, length);
}

void
gift_read(struct gift *gift, struct arena *arena, const char *text, size_t length)
{
	struct value *questions = arena_alloc(arena, QUIZ_QUESTIONS_MAX * sizeof(*questions));
	struct reader reader = {
		.arena = arena, .gift = gift, .text.arena = arena, .plain.arena = arena, .questions = questions
	};
	const char *end = text + length;

	*gift = (struct gift){ .questions = value_list(questions, 0) };
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3; /* a byte order mark, as some editors write it */
	while (text < end && !reader.full) {
		const char *stop = text;
		while (stop < end && *stop != '\n' && *stop != '\r')
			stop++;
		read_line(&reader, text, (size_t)(stop - text));
		text = stop + (end - stop > 1 && stop[0] == '\r' && stop[1] == '\n') + 1;
	}
	end_question(&reader);
	if (gift->questions.count == 0 && gift->faults.count == 0)
		note(&reader, &gift->faults, 0, S_GIFT_NONE);
}

/* ---- writing */

/* Line ends become \n, whatever they were. */
static void
put_escaped(struct buf *out, const char *text)
{
	for (const char *s = text; *s; s++) {
		if (*s == '\r' && s[1] == '\n')
			continue;
		if (*s == '\n' || *s == '\r') {
			buf_puts(out, "\\n");
			continue;
		}
		if (strchr("\\:#={}~", *s))
			buf_putc(out, '\\');
		buf_putc(out, *s);
	}
}

/* [plain] keeps what would be a sign at the front and cannot be escaped: another tag, a weight. */
static void
put_option(struct buf *out, const struct value *option)
{
	const char *text = option[QUIZ_OPTION_TEXT].bytes;

	buf_puts(out, value_truth(option[QUIZ_OPTION_RIGHT], false) ? "\t=" : "\t~");
	buf_puts(out, text[0] == '[' || text[0] == '%' ? formats[PLAIN] : "");
	put_escaped(out, text);
	buf_putc(out, '\n');
}

/* True when the options are those of true/false; `*truth` is set to which of them is right. */
static bool
is_truth(struct value options, bool *truth)
{
	if (options.count != 2 || !value_equal(options.items[0].items[QUIZ_OPTION_TEXT], value_text("True")) ||
		!value_equal(options.items[1].items[QUIZ_OPTION_TEXT], value_text("False")))
		return false;
	*truth = value_truth(options.items[0].items[QUIZ_OPTION_RIGHT], false);
	return true;
}

static void
put_question(struct buf *out, const struct value *question)
{
	const struct value options = question[QUIZ_QUESTION_OPTIONS];
	const double points = value_number(question[QUIZ_QUESTION_POINTS], 1);
	const char *media = value_string(question[QUIZ_QUESTION_MEDIA]);
	bool truth;

	if (points != 1) {
		buf_puts(out, "// okul: points ");
		buf_number(out, points);
		buf_putc(out, '\n');
	}
	if (media) {
		buf_puts(out, "// okul: media ");
		buf_puts(out, media);
		buf_putc(out, '\n');
	}
	buf_puts(out, formats[PLAIN]);
	put_escaped(out, question[QUIZ_QUESTION_TEXT].bytes);
	if (is_truth(options, &truth)) {
		buf_puts(out, truth ? "{TRUE}\n\n" : "{FALSE}\n\n");
		return;
	}
	buf_puts(out, "{\n");
	for (size_t i = 0; i < options.count; i++)
		put_option(out, options.items[i].items);
	buf_puts(out, "}\n\n");
}

void
gift_write(struct buf *out, const char *title, struct value questions)
{
	buf_puts(out, "// test: ");
	for (; *title; title++)
		buf_putc(out, (unsigned char)*title < ' ' ? ' ' : *title);
	buf_puts(out, "\n\n");
	for (size_t i = 0; i < questions.count; i++)
		put_question(out, questions.items[i].items);
}
