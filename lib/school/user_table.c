#include "user_table.h"

#include "fold.h"
#include "text.h"
#include "user.h"

/* Folds a text and removes all but letters and digits: "Doğum Tarihi:" becomes "dogumtarihi". */
static const char *
plain(struct arena *arena, const char *s)
{
	struct buf text = { .arena = arena };
	size_t length = 0;

	buf_puts(&text, "");
	fold_text(&text, s, strlen(s));
	for (const char *c = text.s; *c; c++)
		if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'))
			text.s[length++] = *c;
	text.s[length] = '\0';
	return text.s;
}

/* Synonyms, separated by spaces, in the form of plain(). */
struct meaning {
	const char *what, *words;
};

static const char *
meaning_of(const struct meaning *meanings, size_t count, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i < count; i++)
		for (const char *s = meanings[i].words; length > 0 && (s = strstr(s, word)); s++)
			if ((s == meanings[i].words || s[-1] == ' ') && (s[length] == ' ' || s[length] == '\0'))
				return meanings[i].what;
	return NULL;
}

/* ---- headings */

static const struct meaning headings_of[] = {
	{ "email",
		"eposta epostaadresi mail mailadresi mailadresse emailadresse emailaddress emailadresi"
		" correo correoelectronico direcciondecorreo direcciondecorreoelectronico" },
	{ "name", "ad adi isim firstname givenname forename vorname nombre nombres" },
	{ "surname", "soyad soyadi soyisim lastname familyname nachname familienname zuname apellido apellidos" },
	{ "username", "kullaniciadi benutzername nombredeusuario usuario" },
	{ "role", "rol rolle" },
	{ "language", "dil dili sprache idioma lengua" },
	{ "countryCode",
		"country ulke ulkekodu land landercode landesvorwahl landervorwahl vorwahl pais prefijo "
		"codigodepais codigopais" },
	{ "phoneNumber",
		"phone phoneno telephone telephonenumber tel telno telefon telefonnumarasi telefonno cep cepno"
		" ceptel ceptelefonu gsm mobile mobilephone mobilenumber cellphone telefonnummer handy handynummer"
		" mobil mobiltelefon mobilnummer telefono"
		" numerodetelefono movil telefonomovil celular" },
	{ "birthDate",
		"dateofbirth birthday dob dogumtarihi dogumgunu geburtsdatum geburtstag fechadenacimiento fechanacimiento"
		" nacimiento" },
	{ "gender", "sex cinsiyet cinsiyeti geschlecht sexo genero" },
	{ "timezone", "saatdilimi zeitzone zonahoraria" },
	/* of GET /users, besides the profile */
	{ "isActive", "isactive" },
	{ "accountDeletionStatus", "accountdeletionstatus" },
};

static const char *
api_name(struct arena *arena, const char *heading)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while ((field = field_next(&walk, &user_profile)))
		if (strcmp(plain(arena, field->name), heading) == 0)
			return field->name;
	return meaning_of(headings_of, COUNT(headings_of), heading);
}

void
user_table_columns(struct arena *arena, const char *const *headings, size_t count, const char **fields)
{
	bool given = false;

	for (size_t i = 0; i < count; i++)
		given = given || strcmp(plain(arena, headings[i]), "vorname") == 0;
	for (size_t i = 0; i < count; i++) {
		const char *heading = plain(arena, headings[i]);
		fields[i] = given && strcmp(heading, "name") == 0 ? "surname" : api_name(arena, heading);
	}
}

/* ---- values */

static const struct meaning genders[] = {
	{ "female", "female f woman weiblich w frau kadin k kiz bayan mujer femenino femenina" },
	{ "male", "male man mannlich mann erkek e bay hombre h masculino m" },
	{ "other", "other divers d diger otro otra" },
};

static const struct meaning languages[] = {
	{ "tr", "turkce turkish turkisch turco trtr" },
	{ "en", "ingilizce english englisch ingles engb enus" },
	{ "es", "ispanyolca spanish spanisch espanol castellano eses esmx" },
	{ "de", "almanca german deutsch aleman dede deat dech" },
};

/* Spreadsheets translate booleans when they load a file. */
static const struct meaning truths[] = {
	{ "true", "true dogru wahr verdadero" },
	{ "false", "false yanlis falsch falso" },
};

static const char *
enumerator(struct arena *arena, const struct field *field, const char *word, const char *cell)
{
	for (int i = 0; field->oneof[i]; i++)
		if (strcmp(plain(arena, field->oneof[i]), word) == 0)
			return field->oneof[i];
	return cell;
}

static const char *
or_cell(const char *meaning, const char *cell)
{
	return meaning ? meaning : cell;
}

const char *
user_table_cell(struct arena *arena, const struct field *field, const char *heading, const char *cell)
{
	const char *word = plain(arena, cell), *date;

	if (field->type == FIELD_DATE) {
		user_table_date(arena, cell, &date);
		return date;
	}
	if (field->type == FIELD_BOOL)
		return or_cell(meaning_of(truths, COUNT(truths), word), cell);
	if (strcmp(field->name, "gender") == 0) {
		const char *asked = plain(arena, heading);
		bool spanish = strcmp(asked, "sexo") == 0 || strcmp(asked, "genero") == 0;
		return spanish && strcmp(word, "m") == 0 ? cell : or_cell(meaning_of(genders, COUNT(genders), word), cell);
	}
	if (strcmp(field->name, "language") == 0)
		cell = or_cell(meaning_of(languages, COUNT(languages), word), cell);
	return field->type == FIELD_ENUM ? enumerator(arena, field, plain(arena, cell), cell) : cell;
}

/* ---- dates */

enum user_table_date
user_table_date(struct arena *arena, const char *cell, const char **out)
{
	char part[3][5], sign[2][2];
	int number[3], end = 0;
	size_t digits[3];

	*out = cell;
	if (sscanf(cell, "%4[0-9]%1[./-] %4[0-9]%1[./-] %4[0-9]%n", part[0], sign[0], part[1], sign[1], part[2], &end) != 5 ||
		sign[0][0] != sign[1][0])
		return USER_TABLE_DATE;
	for (int i = 0; i < 3; i++) {
		number[i] = (int)strtol(part[i], NULL, 10);
		digits[i] = strlen(part[i]);
	}
	cell += end;
	/* A spreadsheet that parsed the date as a time appends midnight. */
	if (*cell && strcmp(cell, " 00:00") != 0 && strcmp(cell, " 00:00:00") != 0)
		return USER_TABLE_DATE;
	if (digits[0] == 4 && digits[1] <= 2 && digits[2] <= 2) {
		*out = arena_format(arena, "%04d-%02d-%02d", number[0], number[1], number[2]);
		return USER_TABLE_DATE;
	}
	if (digits[0] > 2 || digits[1] > 2)
		return USER_TABLE_DATE;
	if (digits[2] != 4)
		return USER_TABLE_SHORT_YEAR;
	if (sign[0][0] != '.' && number[0] <= 12 && number[1] > 12)
		return USER_TABLE_MONTH_FIRST;
	*out = arena_format(arena, "%04d-%02d-%02d", number[2], number[1], number[0]);
	return USER_TABLE_DATE;
}

/* ---- phone numbers */

/*
 * Returns the digits, and a leading +, without the usual separators, among them those of web pages and word processors
 * (U+00A0, U+2000 to U+206F). Returns the text unchanged when it has any other character.
 */
static const char *
dialled(struct arena *arena, const char *s)
{
	struct buf out = { .arena = arena };

	buf_puts(&out, "");
	for (const unsigned char *c = (const unsigned char *)s; *c; c++) {
		if (*c == 0xc2 && c[1] == 0xa0)
			c++;
		else if (*c == 0xe2 && (c[1] == 0x80 || c[1] == 0x81) && c[2])
			c += 2;
		else if ((*c >= '0' && *c <= '9') || (*c == '+' && out.length == 0))
			buf_putc(&out, (char)*c);
		else if (!strchr(" \t\n-()./", *c))
			return s;
	}
	return out.length > 0 ? out.s : s;
}

/* The length of the country code of an international number (ITU-T E.164, list of 2016). */
static size_t
country_length(const char *number)
{
	static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64"
				  " 65 66 81 82 84 86 90 91 92 93 94 95 98 ";
	char start[] = { number[0], number[0] ? number[1] : '\0', ' ', '\0' };

	if (number[0] == '1' || number[0] == '7')
		return 1;
	return strstr(two, start) ? 2 : 3;
}

/* Only likely countries; for others the number itself is needed. */
/* clang-format off */
static const struct meaning countries[] = {
	{ "90", "tr tur turkiye turkey turkei turquia" }, { "49", "de deu almanya germany deutschland alemania" },
	{ "43", "at aut avusturya austria osterreich" }, { "41", "ch che isvicre switzerland schweiz suiza" },
	{ "34", "es esp ispanya spain spanien espana" }, { "44", "gb gbr uk ingiltere unitedkingdom grossbritannien reinounido" },
	{ "1", "us usa abd ca can" }, { "353", "ie irl irlanda ireland irland" }, { "52", "mx mex meksika mexico mexiko" },
	{ "54", "ar arg arjantin argentina argentinien" }, { "57", "co col kolombiya colombia kolumbien" },
	{ "56", "cl chl sili chile" }, { "51", "pe per peru" }, { "58", "ve ven venezuela" }, { "593", "ec ecu ekvador ecuador" },
	{ "994", "az aze azerbaycan azerbaijan aserbaidschan azerbaiyan" }, { "31", "nl nld hollanda netherlands niederlande" },
	{ "33", "fr fra fransa france frankreich francia" }, { "39", "it ita italya italy italien italia" },
	{ "32", "be bel belcika belgium belgien belgica" },
};
/* clang-format on */

/* The digits of a country code from a number or a name; else the cell unchanged. */
static const char *
country_of(struct arena *arena, const char *cell)
{
	const char *digits = dialled(arena, cell);

	if (digits[0] == '+')
		return digits + 1;
	if (strncmp(digits, "00", 2) == 0)
		return digits + 2;
	return text_is_digits(digits) ? digits : or_cell(meaning_of(countries, COUNT(countries), plain(arena, cell)), cell);
}

const char *
user_table_phone(struct arena *arena, enum language language, const char **country, const char **phone)
{
	const char *cell = *phone;

	if (*country)
		*country = country_of(arena, *country);
	/* Already in the form of the API, as in an exported file. */
	if (!cell || (text_is_digits(cell) && strncmp(cell, "00", 2) != 0))
		return NULL;
	const char *number = dialled(arena, cell);
	size_t prefix = number[0] == '+' ? 1 : strncmp(number, "00", 2) == 0 ? 2 : 0;
	number += prefix;
	if (!text_is_digits(number))
		return NULL;
	if (prefix > 0) {
		const char *code = arena_copy(arena, number, strnlen(number, country_length(number)));
		if (*country && strcmp(*country, code) != 0) {
			*phone = NULL;
			return arena_format(
				arena, "phoneNumber: %s (+%s, %s)", sentence(S_TABLE_PHONE, language), code, *country);
		}
		number += strlen(code);
		*country = code;
	}
	/* The trunk prefix 0 is dialled only inside a country; in Italy it is part of the number. */
	if (*country && strcmp(*country, "39") != 0 && number[0] == '0')
		number++;
	*phone = number;
	return NULL;
}
