// How well the questions of a test measure.
import { get } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { number, t } from "../lib/text.js";

const EASY = 0.95;	// of the attempts have it right
const HARD = 0.05;
const WEAK = 0.2;	// as the API says of discrimination

export async function statistics({ params }) {
	const [test, figures] = await Promise.all([get(`/proficiency-tests/${params.id}`),
		get(`/proficiency-tests/${params.id}/statistics`)]);
	const doubts = figures.questions.map((question, i) =>
		({ i, doubt: doubtOf(question, figures.attempts) })).filter(({ doubt }) => doubt);
	const shown = figures.questions.map((question, i) => shownQuestion(question, i, figures.attempts));
	return [
		h("p", {}, h("a", { href: `#/office/tests/${test.id}` }, test.title)),
		h("h1", {}, t("statistics")),
		figures.attempts === 0
			? h("p", { class: "nothing" }, t("statistics.none"))
			: [
				!figures.isReliable && h("p", { class: "box warn" }, t("statistics.few", { n: figures.attempts })),
				summary(figures),
				h("h2", {}, t("field.questions")),
				h("p", {}, t("statistics.doubts", { n: doubts.length, all: figures.questions.length })),
				h("div", { class: "actions" },
					doubts.map(({ i }) => h("button", { type: "button", class: "small", onclick: () => show(shown[i]) },
					t("questions.n", { n: i + 1 })))),
				h("ol", { class: "plain-list" }, shown),
			],
	];
}

function show(question) {
	question.scrollIntoView({ block: "start" });
	question.querySelector("h3").focus({ preventScroll: true });
}

const decimals = (value, digits = 2) => (value === null ? "–" : number(value, { maximumFractionDigits: digits }));
const share = (value) => (value === null ? "–" : number(value, { style: "percent", maximumFractionDigits: 0 }));

function summary(figures) {
	const fact = (key, value) => h("div", {}, h("dt", {}, t(`statistics.${key}`)), h("dd", {}, value),
		h("dd", { class: "hint" }, t(`statistics.${key}-hint`)));
	return h("dl", { class: "figures" },
		fact("attempts", number(figures.attempts)),
		fact("mean", decimals(figures.mean, 1)),
		fact("deviation", decimals(figures.standardDeviation, 1)),
		fact("alpha", decimals(figures.cronbachAlpha)),
		fact("error", decimals(figures.standardErrorOfMeasurement, 1)));
}

/** Why a question measures nothing, or little; null where it does its work. */
export function doubtOf({ difficulty, discrimination }, attempts) {
	if (attempts === 0 || difficulty === null)
		return null;
	if (difficulty === 1 || difficulty === 0)
		return difficulty ? "all" : "nobody";
	if (discrimination !== null && discrimination < 0)
		return "negative";
	if (difficulty >= EASY || difficulty <= HARD)
		return difficulty >= EASY ? "easy" : "hard";
	return discrimination !== null && discrimination < WEAK ? "weak" : null;
}

function shownQuestion(question, i, attempts) {
	const doubt = doubtOf(question, attempts);
	const unused = question.options.filter((option) => !option.isCorrect && option.chosen === 0);
	return h("li", { class: `figure ${doubt ? "doubtful" : ""}` },
		h("h3", { tabindex: -1 }, `${number(i + 1)}. `, h("span", { class: "text" }, question.text)),
		doubt && h("p", { class: "box warn" }, icon("warning"), " ", t(`statistics.doubt.${doubt}`)),
		h("p", { class: "hint" }, t("statistics.right", { share: share(question.difficulty) }), " · ",
			t("statistics.discrimination", { value: decimals(question.discrimination) })),
		h("ul", { class: "plain-list" },
			question.options.map((option) => bar(option.text, option.chosen, attempts, option.isCorrect)),
			question.unanswered > 0 && bar(h("i", {}, t("statistics.unanswered")), question.unanswered, attempts, false)),
		unused.length > 0 && attempts >= 30 && h("p", { class: "hint" }, t("statistics.unused", { n: unused.length })));
}

function bar(label, count, all, isRight) {
	const length = h("span", { class: isRight ? "bar-length good" : "bar-length" });
	length.style.width = `${all ? (100 * count) / all : 0}%`;
	return h("li", { class: "count-bar" },
		h("span", {}, isRight && [h("span", { class: "right" }, icon("check")),
			h("span", { class: "hidden" }, `${t("questions.right")}: `)], label),
		h("span", { class: "count-number" }, number(count), " · ", share(all ? count / all : null)),
		h("span", { class: "bar-track", "aria-hidden": "true" }, length));
}
