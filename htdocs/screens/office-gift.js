// A test made of GIFT text, the format in which Moodle exports questions.
import { request } from "../lib/api.js";
import { fill, h, icon, newId } from "../lib/dom.js";
import { notify } from "../lib/dialog.js";
import { editor, makeForm } from "../lib/form.js";
import { guardLeaving } from "../lib/route.js";
import { shape } from "../lib/schema.js";
import { number, t } from "../lib/text.js";
import { levelsEditor } from "./office-levels.js";

const LINE = /^\D*(\d+): /;	// "line 12: ..." in any language

export async function importTest() {
	const fields = await shape("ImportProficiencyTestDto");
	const form = makeForm(fields, {
		first: ["gift", "skip", "title", "targetLanguage", "description", "durationMinutes", "maxAttempts", "shuffle",
			"isPublished", "levelRanges"],
		editors: { gift: giftEditor, levelRanges: levelsEditor }, action: t("gift.import"),
		submit: async (body) => {
			const { data } = await request("POST", "/proficiency-tests/import", { body });
			guardLeaving(null);
			notify(t("gift.imported", { n: data.questions.length }));
			location.replace(`#/office/tests/${data.id}`);
		},
	});
	form.classList.add("wide-form");
	guardLeaving(() => form.isConnected && form.isDirty());
	return [
		h("p", {}, h("a", { href: "#/office/tests" }, t("tests.all"))),
		h("h1", {}, t("gift.title")),
		h("p", {}, t("gift.text")),
		form,
	];
}

/** The text with numbered lines, and what is wrong with it beside. */
function giftEditor(field, value) {
	const gutter = h("pre", { class: "gutter", "aria-hidden": "true" });
	const area = h("textarea", { class: "code", rows: 16, wrap: "off", spellcheck: "false", value: value ?? "",
		"data-control": true, oninput: draw,
		onscroll: () => (gutter.scrollTop = area.scrollTop) });
	const faults = h("ol", { class: "plain-list faults" });
	const id = newId("gift");
	const input = h("input", { type: "file", id, class: "hidden", accept: ".txt,.gift,text/plain", onchange: () => {
		read(input.files[0]);
		input.value = "";
	} });
	let marked = new Set();
	area.addEventListener("dragover", (event) => event.preventDefault());
	area.addEventListener("drop", (event) => {
		if (!event.dataTransfer.files.length)
			return;
		event.preventDefault();
		read(event.dataTransfer.files[0]);
	});
	draw();

	const element = h("div", { class: "gift" },
		h("div", { class: "actions" }, input, h("label", { for: id, class: "button" }, icon("file"), t("gift.file"))),
		h("div", { class: "gift-text" }, h("div", { class: "numbered" }, gutter, area), faults));
	return Object.assign(editor(element, () => area.value || undefined,
		() => (area.value.trim() === "" ? t("invalid.required") : null)), { sayAt, sayNothing });

	async function read(file) {
		if (!file)
			return;
		area.value = await file.text();
		marked = new Set();
		draw();
		area.focus();
	}

	/** The numbers are drawn anew only when there are more or fewer, or other lines are marked: a text may have thousands. */
	function draw() {
		const count = area.value.split("\n").length;
		const state = [count, ...marked].join();
		if (state !== gutter.dataset.state)
			fill(gutter, Array.from({ length: count },
				(_, i) => h("span", { class: marked.has(i + 1) && "wrong" }, `${i + 1}\n`)));
		gutter.dataset.state = state;
		gutter.scrollTop = area.scrollTop;
	}

	/** A sentence that names a line is shown beside the text, with a button that leads there. */
	function sayAt(path, sentence) {
		const line = Number(LINE.exec(sentence)?.[1]);
		if (!line)
			return false;
		marked.add(line);
		draw();
		faults.append(h("li", { class: "wrong" },
			h("button", { type: "button", class: "small", onclick: () => show(line) }, t("gift.line", { n: number(line) })), " ",
			sentence.slice(sentence.indexOf(":") + 1).trim()));
		return true;
	}

	function sayNothing() {
		faults.replaceChildren();
		marked = new Set();
		draw();
	}

	function show(line) {
		const lines = area.value.split("\n");
		const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
		area.focus();
		area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
		area.scrollTop = (area.scrollHeight / lines.length) * Math.max(0, line - 4);
	}
}
