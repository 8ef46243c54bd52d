// Placement tests for the office.
import { get, saveFile } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { actionButton, deleteButton, duplicateButton, publishSwitch } from "../lib/edit.js";
import { makeList } from "../lib/list.js";
import { number, t, valueLabel } from "../lib/text.js";

const PATH = "/proficiency-tests";
const SCREEN = "/office/tests";

export async function tests({ query }) {
	const { languages } = await get(`${PATH}/target-languages`);
	const list = makeList({
		path: PATH, query, empty: t("tests.empty"),
		link: (test) => `#${SCREEN}/${test.id}`,
		columns: [
			{ key: "title", isSortable: true, cell: (test) => test.title },
			{ key: "targetLanguage", cell: (test) => valueLabel(test.targetLanguage) },
			{ key: "questionCount", cell: (test) => number(test.questionCount) },
			{ key: "durationMinutes", cell: (test) =>
				(test.durationMinutes ? t("tests.minutes", { n: test.durationMinutes }) : t("tests.no-limit")) },
			{ key: "isPublished", cell: (test) => publishSwitch(PATH, test) },
		],
		filters: languages.length > 1 ? [{ name: "targetLanguage",
			choices: languages.map((code) => [code, valueLabel(code)]) }] : [],
		actions: (test) => [
			h("a", { class: "button small", href: `#${SCREEN}/${test.id}/statistics`,
				"aria-label": t("office-tests.statistics-name", { name: test.title }), title: t("statistics") }, icon("result")),
			exportButton(test, true),
			duplicateButton(PATH, SCREEN, test, true),
			deleteButton(PATH, test, t("office-tests.delete-text"), () => list.reload(), true),
		],
	});
	return [
		h("div", { class: "head" }, h("h1", {}, t("menu./office/tests")),
			h("div", { class: "actions" },
				h("a", { class: "button", href: `#${SCREEN}/import` }, icon("upload"), t("gift.title")),
				h("a", { class: "button primary", href: `#${SCREEN}/new` }, icon("plus"), t("office-tests.new")))),
		list,
	];
}

/** Saves the questions of a test as GIFT text, which Moodle and others read. */
export const exportButton = (test, isSmall) =>
	actionButton("download", isSmall ? null : t("gift.export"), async () => {
		const { title, gift } = await get(`${PATH}/${test.id}/export`);
		saveFile(new Blob([gift], { type: "text/plain" }),
			`${title.replace(/[\\/:*?"<>|\p{Cc}]+/gu, "_").slice(0, 100)}.gift.txt`);
	},
		{ isSmall, title: isSmall ? t("gift.export-name", { name: test.title }) : undefined });
