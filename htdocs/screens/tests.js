// The placement tests, and what is told before one is begun.
import { get } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { makeList } from "../lib/list.js";
import { date, number, t, valueLabel } from "../lib/text.js";

export async function tests({ query }) {
	const { languages } = await get("/proficiency-tests/target-languages");
	return [
		h("h1", {}, t("menu./tests")),
		h("p", {}, t("tests.text")),
		makeList({
			path: "/proficiency-tests", query, empty: t("tests.empty"),
			link: (test) => `#/tests/${test.id}`,
			columns: [
				{ key: "title", isSortable: true, cell: (test) => [test.title, !test.isPublished && h("span", { class: "tag warn" }, t("draft"))] },
				{ key: "targetLanguage", cell: (test) => valueLabel(test.targetLanguage) },
				{ key: "questionCount", cell: (test) => number(test.questionCount) },
				{ key: "durationMinutes", cell: (test) => (test.durationMinutes ? t("tests.minutes", { n: test.durationMinutes }) : t("tests.no-limit")) },
			],
			filters: languages.length > 1 ? [{ name: "targetLanguage", choices: languages.map((code) => [code, valueLabel(code)]) }] : [],
		}),
	];
}

export async function test({ params, user }) {
	const found = await get(`/proficiency-tests/${params.id}`);
	const status = user && (user.role !== "user" || user.isRegistrationComplete) ? await get(`/proficiency-tests/${params.id}/status`) : null;
	return [
		h("p", {}, h("a", { href: "#/tests" }, t("tests.all"))),
		h("h1", {}, found.title),
		found.description && h("p", { class: "text" }, found.description),
		h("dl", { class: "facts" },
			h("dt", {}, t("field.targetLanguage")), h("dd", {}, valueLabel(found.targetLanguage)),
			h("dt", {}, t("field.questionCount")), h("dd", {}, number(found.questionCount)),
			h("dt", {}, t("field.durationMinutes")), h("dd", {}, found.durationMinutes ? t("tests.minutes", { n: found.durationMinutes }) : t("tests.no-limit")),
			status && [h("dt", {}, t("tests.attempts-left")), h("dd", {}, status.attemptsLeft === null ? t("tests.any") : number(status.attemptsLeft))]),
		status?.result && h("div", { class: "box good" }, h("p", {},
			t("tests.taken", { day: date(status.result.completedAt), level: status.result.level }), " ",
			h("a", { href: `#/results/${status.result.resultId}` }, t("tests.see-result")))),
		h("h2", {}, t("tests.how")),
		h("ul", {}, [
			found.durationMinutes ? t("tests.how-time", { n: found.durationMinutes }) : t("tests.how-no-time"),
			t("tests.how-saved"), t("tests.how-offline"), t("tests.how-end"),
		].map((sentence) => h("li", {}, sentence))),
		h("div", { class: "actions" }, begin(found, status)),
	];
}

/** An open attempt counts as begun: it may be gone on with though no attempt is left. */
function begin(found, status) {
	if (!status)
		return h("a", { class: "button primary", href: `#/login?to=/tests/${found.id}` }, t("tests.log-in"));
	return [
		h("a", { class: "button primary", href: `#/tests/${found.id}/take` }, icon("test"), t("tests.begin")),
		status.attemptsLeft === 0 && h("p", { class: "hint" }, t("tests.none-left")),
	];
}
