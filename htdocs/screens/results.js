// Results: the list of one's own, and one with its answers.
import { get } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { makeList } from "../lib/list.js";
import { number, percent, t, time, valueLabel } from "../lib/text.js";

const LEVELS = ["A1", "A2", "B1", "B2", "C1", "C2"];

export function results({ query }) {
	return [
		h("h1", {}, t("menu./results")),
		makeList({
			path: "/proficiency-tests/results/me", query, hasSearch: false, empty: t("results.empty"),
			link: (result) => `#/results/${result.id}`,
			columns: [
				{ key: "test", label: t("results.test"), cell: (result) => result.test.title },
				{ key: "level", cell: (result) => h("strong", {}, result.level) },
				{ key: "totalScore", cell: (result) => percent(result.totalScore) },
				{ key: "completedAt", cell: (result) => time(result.completedAt) },
			],
		}),
	];
}

export async function result({ params, query }) {
	const found = await get(`/proficiency-tests/results/${params.id}`);
	const test = await get(`/proficiency-tests/${found.test.id}`).catch(() => null);
	const ended = query.get("ended");
	return [
		h("p", {}, h("a", { href: "#/results" }, t("results.all"))),
		ended && h("div", { class: ended === "lost" ? "box warn" : "box good", role: "status" }, t(ended === "lost" ? "results.ended-lost" : "results.ended")),
		...shownResult(found, test),
	];
}

/** A result as its owner and the office see it. `test` may be null: it was deleted since. */
export function shownResult(found, test) {
	return [
		h("h1", {}, found.test.title),
		h("div", { class: "level-card" }, h("span", { class: "level" }, found.level),
			h("div", {}, h("p", {}, h("strong", {}, t("results.your-level", { level: found.level }))), h("p", {}, t(`level.${found.level}`)))),
		h("dl", { class: "facts" },
			h("dt", {}, t("field.totalScore")), h("dd", {}, percent(found.totalScore)),
			h("dt", {}, t("results.right")), h("dd", {}, t("results.of", { n: found.correctCount, all: found.questionCount })),
			h("dt", {}, t("field.completedAt")), h("dd", {}, time(found.completedAt)),
			h("dt", {}, t("field.targetLanguage")), h("dd", {}, valueLabel(found.test.targetLanguage)),
			h("dt", {}, t("results.attempt")), h("dd", {}, number(found.attempt))),
		test && bands(test.levelRanges, found),
		h("h2", {}, t("results.answers")),
		found.answers.length ? h("ol", { class: "answers" }, found.answers.map((answer) => h("li", {},
			h("p", { class: "text" }, answer.questionText),
			h("p", { class: answer.isCorrect ? "right" : "wrong" }, icon(answer.isCorrect ? "check" : "close"),
				h("span", { class: "hidden" }, t(answer.isCorrect ? "results.is-right" : "results.is-wrong")), " ", answer.optionText))))
			: h("p", { class: "nothing" }, t("results.no-answers")),
	];
}

function bands(ranges, found) {
	// The last range whose start is not above the score.
	const mine = ranges.findLastIndex((range) => range.minScore <= found.totalScore);
	return [
		h("h2", {}, t("results.bands")),
		h("table", { class: "bands" },
			h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("field.level")), h("th", { scope: "col" }, t("field.totalScore")), h("th", { scope: "col" }, t("results.means")))),
			h("tbody", {}, ranges.map((range, i) => h("tr", { "aria-current": i === mine ? "true" : null },
				h("th", { scope: "row" }, range.level), h("td", {}, `${number(range.minScore)} – ${number(range.maxScore)} %`),
				h("td", {}, LEVELS.includes(range.level) && t(`level.${range.level}`)))))),
	];
}
