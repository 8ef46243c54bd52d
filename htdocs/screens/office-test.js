// One placement test for the office: its own fields, its questions and its levels.
import { request } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { deleteButton, duplicateButton, editForm } from "../lib/edit.js";
import { go } from "../lib/route.js";
import { shape } from "../lib/schema.js";
import { t } from "../lib/text.js";
import { importTest } from "./office-gift.js";
import { levelsEditor, plainLevels, shownLevels } from "./office-levels.js";
import { plainQuestions, preview, questionsEditor, shownQuestions } from "./office-questions.js";
import { exportButton } from "./office-tests.js";

const PATH = "/proficiency-tests";
const SCREEN = "/office/tests";

export async function test({ params }) {
	if (params.id === "import")
		return importTest();
	const isNew = params.id === "new";
	const [opened, fields] = await Promise.all([
		isNew ? null : request("GET", `${PATH}/${params.id}`),
			shape(isNew ? "CreateProficiencyTestDto" : "UpdateProficiencyTestDto"),
	]);
	const title = h("h1", {}, opened?.data.title ?? t("office-tests.new"));
	const form = editForm(fields, {
		path: PATH, screen: SCREEN, opened,
		first: ["title", "description", "targetLanguage", "durationMinutes", "maxAttempts", "shuffle", "isPublished",
			"levelRanges", "questions"],
		editors: { questions: questionsEditor, levelRanges: levelsEditor },
		parts: { questions: { plain: plainQuestions, show: shownQuestions },
			levelRanges: { plain: plainLevels, show: shownLevels } },
		onSaved: (data) => (title.textContent = data.title),
		more: opened && h("p", { class: "hint" }, t("office-tests.new-ids")),
	});
	return [
		h("p", {}, h("a", { href: `#${SCREEN}` }, t("tests.all"))),
		h("div", { class: "head" }, title, h("div", { class: "actions" },
			h("button", { type: "button", onclick: () => preview(form.values()) }, icon("test"), t("preview")),
			opened && [
				h("a", { class: "button", href: `#${SCREEN}/${opened.data.id}/statistics` }, icon("result"), t("statistics")),
				exportButton(opened.data),
				duplicateButton(PATH, SCREEN, opened.data),
				deleteButton(PATH, opened.data, t("office-tests.delete-text"), () => {
					form.keep();
					go(SCREEN);
				}),
			])),
		form,
	];
}
