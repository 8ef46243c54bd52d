// Sentences in the language of the person: lang/<language>.json, one file a language with the same keys in each (tests/web checks
// that), and dates and numbers as that language writes them.

export const LANGUAGES = { tr: "Türkçe", en: "English", es: "Español", de: "Deutsch" };

const KEPT = "okul.language";
let sentences = {};
let current = "en";
let plural;

/** The language chosen in this browser, else the first of its languages that okul has, else English. */
function preferred() {
	const wanted = [kept(), ...navigator.languages].map((name) => name?.slice(0, 2));
	return wanted.find((name) => name in LANGUAGES) ?? "en";
}

function kept() {
	try {
		return localStorage.getItem(KEPT);
	} catch {
		return null;	// storage is forbidden
	}
}

export const language = () => current;

/** Loads the sentences. `name`: to be remembered; without, the preferred language. */
export async function useLanguage(name) {
	if (name) {
		try {
			localStorage.setItem(KEPT, name);
		} catch { /* not remembered */ }
	}
	current = name ?? preferred();
	const response = await fetch(new URL(`../lang/${current}.json`, import.meta.url));
	if (!response.ok)
		throw new Error(`lang/${current}.json: ${response.status}`);
	sentences = await response.json();
	plural = new Intl.PluralRules(current);
	document.documentElement.lang = current;
}

/** Was the language chosen in this browser? */
export const isChosen = () => kept() in LANGUAGES;

/**
 * A sentence. `{name}` in it is replaced by values.name. With values.n, KEY_one or KEY_other is taken where they exist.
 * @returns {string} the key itself where the sentence is missing
 */
export function t(key, values = {}) {
	const form = typeof values.n === "number" ? sentences[`${key}_${plural.select(values.n)}`] ?? sentences[`${key}_other`] : undefined;
	const sentence = form ?? sentences[key] ?? key;
	return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

/** A sentence, or `fallback` where there is none. For keys made of names that the API may add. */
export const tryText = (key, fallback) => sentences[key] ?? fallback;

/** The label of a field of the API: its sentence, or its name in words. */
export const fieldLabel = (name) => tryText(`field.${name}`, words(name));

/** "imageUrl" as "Image url". */
function words(name) {
	const spaced = name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
	return spaced[0].toUpperCase() + spaced.slice(1);
}

/** The word for a value of an enumeration: value.NAME, else the value. */
export const valueLabel = (value) => tryText(`value.${value}`, String(value));

const shown = (value) => (typeof value === "number" ? number(value) : String(value));

export const number = (value, options) => new Intl.NumberFormat(current, options).format(value);
export const percent = (value) => number(value / 100, { style: "percent", maximumFractionDigits: 2 });
export const date = (value) => (value ? new Intl.DateTimeFormat(current, { dateStyle: "medium" }).format(new Date(value)) : "");
export const time = (value) =>
	value ? new Intl.DateTimeFormat(current, { dateStyle: "medium", timeStyle: "short" }).format(new Date(value)) : "";

/** A price. A currency that Intl does not know stands behind the number. */
export function money(amount, currency) {
	try {
		return number(amount, { style: "currency", currency });
	} catch {
		return `${number(amount)} ${currency}`;
	}
}

/** A size in bytes: "1.2 MB". */
export function size(bytes) {
	const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
	let step = 0;
	for (; bytes >= 1000 && step < units.length - 1; step++)
		bytes /= 1000;
	return number(bytes, { style: "unit", unit: units[step], maximumFractionDigits: step ? 1 : 0 });
}

/** A length of time: "2:05", "1:02:05". */
export function clock(seconds) {
	const whole = Math.max(0, Math.ceil(seconds));
	const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
	return (parts[0] ? parts : parts.slice(1)).map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}
