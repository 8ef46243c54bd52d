// The questions of a test and their options, edited in place.
import { announce, openDialog } from "../lib/dialog.js";
import { append, fill, h, icon, nameButton, newId } from "../lib/dom.js";
import { editor } from "../lib/form.js";
import { sortable } from "../lib/sort.js";
import { number, t } from "../lib/text.js";
import { media } from "./take.js";

const OPEN_AT_FIRST = 3;	// a test of more questions shows them closed

/** Questions as the API takes them, of those that it gives: ids and places are its own. */
export const plainQuestions = (questions) => (questions ?? []).map(({ text, points, mediaUrl, options }) =>
	({ text, points, mediaUrl, options: options.map((option) => ({ text: option.text, isCorrect: option.isCorrect })) }));

const newOption = () => ({ text: "", isCorrect: false });
const newQuestion = () => ({ text: "", points: 1, mediaUrl: null,
	options: [{ text: "", isCorrect: true }, newOption(), newOption()] });
const snippet = (text) => (text.trim() === "" ? t("questions.no-text") : text.trim().slice(0, 120));

/** The editor of the field `questions`. */
export function questionsEditor(field, value) {
	const list = h("ol", { class: "plain-list sortable" });
	const order = sortable(list, { nameOf: (item) => t("questions.n", { n: placeOf(item) }), onMoved: relabel });
	const add = h("button", { type: "button", onclick: () => insert(newQuestion(), null) }, icon("plus"), t("questions.add"));
	const questions = plainQuestions(value);
	for (const question of questions.length ? questions : [newQuestion()])
		list.append(makeItem(question, questions.length <= OPEN_AT_FIRST));
	relabel();

	return Object.assign(editor(h("div", {}, list, h("div", { class: "actions" }, add)),
		() => structuredClone([...list.children].map((item) => item.question))), { sayAt, sayNothing });

	function relabel() {
		order.relabel();
		[...list.children].forEach((item) => item.relabel());
		add.disabled = list.children.length >= (field.maxItems ?? Infinity);
	}

	/** Puts a question behind `item`, or at the end, and begins to edit it. */
	function insert(question, item) {
		const added = makeItem(question, true);
		item ? item.after(added) : list.append(added);
		relabel();
		added.inputAt("text").focus();
	}

	function remove(item) {
		const next = item.nextElementSibling ?? item.previousElementSibling;
		const n = placeOf(item);
		item.remove();
		relabel();
		announce(t("questions.removed", { n }));
		(next?.querySelector("button") ?? add).focus();
	}

	function makeItem(question, isOpen) {
		const id = newId("question");
		const toggle = h("button", { type: "button", class: "plain part-title", "aria-expanded": "false", "aria-controls": id,
			onclick: () => item.open(body.hidden) });
		const body = h("div", { class: "part-body", id, hidden: true });
		const act = (name, key, work) =>
			h("button", { type: "button", class: "plain small", "data-label": key, onclick: work }, icon(name));
		const item = h("li", { class: "part" });
		const buttons = [
			act("copy", "questions.copy", () => insert(structuredClone(question), item)),
			act("trash", "questions.remove", () => remove(item)),
		];
		append(item, [h("div", { class: "part-head" }, order.handle(item), toggle,
			h("span", { class: "row-actions" }, order.buttons(item), buttons)), body]);
		Object.assign(item, {
			question,
			relabel() {
				const n = placeOf(item);
				fill(toggle, h("strong", {}, `${number(n)}.`), " ", h("span", {}, snippet(question.text)));
				for (const button of buttons)
					nameButton(button, t(button.dataset.label, { n }));
			},
			/** The body is made when it is first seen: a test may have 200 questions. */
			open(isWanted) {
				if (isWanted && !body.firstChild)
					fill(body, questionBody(item));
				body.hidden = !isWanted;
				toggle.setAttribute("aria-expanded", String(isWanted));
			},
			inputAt(path) {
				item.open(true);
				const option = body.querySelectorAll(".choices > li")[/^options\[(\d+)/.exec(path)?.[1]];
				return option?.querySelector("input[type=text]") ?? body.querySelector(`[data-part="${path}"]`) ?? body.querySelector("[data-part=text]");
			},
		});
		item.open(isOpen);
		return item;
	}

	/** "[2].options[0].text: must not be empty" is shown at that input. */
	function sayAt(path, sentence) {
		const [, place, rest] = /^\[(\d+)\]\.?(.*)$/.exec(path) ?? [];
		const item = list.children[place];
		if (!item)
			return false;
		say(item.inputAt(rest), sentence);
		return true;
	}

	function sayNothing() {
		for (const error of list.querySelectorAll(".error"))
			error.remove();
		for (const input of list.querySelectorAll("[aria-invalid]"))
			input.removeAttribute("aria-invalid");
	}
}

const placeOf = (item) => [...item.parentNode.children].indexOf(item) + 1;

/** Shows a sentence behind an input. */
function say(input, sentence) {
	const id = newId("error");
	const place = input.closest(".choice, .field") ?? input;
	place.append(h("div", { class: "error", id }, h("p", {}, sentence)));
	input.setAttribute("aria-invalid", "true");
	input.setAttribute("aria-describedby", id);
}

/** What is typed goes into the question of the item at once. */
function questionBody(item) {
	const { question } = item;
	const group = newId("right");
	const options = h("ol", { class: "plain-list choices" });
	const order = sortable(options, { nameOf: (option) => t("questions.option", { n: placeOf(option) }), onMoved: changed });
	const add = h("button", { type: "button", class: "small", onclick: () => {
		const option = makeOption(newOption());
		options.append(option);
		changed();
		option.querySelector("input[type=text]").focus();
	} }, icon("plus"), t("questions.add-option"));
	options.append(...question.options.map(makeOption));
	changed();
	return [
		field("text", t("questions.text"), h("textarea", { rows: 2, value: question.text, oninput: (event) => {
			question.text = event.target.value;
			item.relabel();
		} })),
		h("fieldset", { class: "field", "data-part": "options", tabindex: -1 }, h("legend", {}, t("questions.options")),
			h("p", { class: "hint" }, t("questions.options-hint")), options, add),
		h("div", { class: "part-more" },
			field("points", t("questions.points"),
				h("input", { type: "number", min: 0, max: 1000, step: "any", inputmode: "decimal", value: question.points ?? "",
				oninput: (event) => (question.points = event.target.value === "" ? undefined : Number(event.target.value)) })),
			field("mediaUrl", t("questions.media"),
				h("input", { type: "text", inputmode: "url", autocomplete: "off", value: question.mediaUrl ?? "",
				oninput: (event) => (question.mediaUrl = event.target.value.trim() || null) }), t("questions.media-hint"))),
	];

	function field(part, label, input, hint) {
		input.id = newId("part");
		input.dataset.part = part;
		return h("div", { class: "field" }, h("label", { for: input.id }, label), input, hint && h("p", { class: "hint" }, hint));
	}

	function makeOption(option) {
		const right = h("input", { type: "radio", name: group, checked: option.isCorrect, onchange: () => {
			for (const one of question.options)
				one.isCorrect = one === option;
		} });
		const text = h("input", { type: "text", autocomplete: "off", value: option.text,
			oninput: (event) => (option.text = event.target.value) });
		const trash = h("button", { type: "button", class: "plain small", onclick: () => {
			const next = element.nextElementSibling ?? element.previousElementSibling;
			element.remove();
			changed();
			(next?.querySelector("input[type=text]") ?? add).focus();
		} }, icon("trash"));
		const element = h("li", { class: "choice" });
		append(element, [order.handle(element), right, text, h("span", { class: "row-actions" }, order.buttons(element), trash)]);
		element.option = option;
		element.relabel = (n) => {
			right.setAttribute("aria-label", t("questions.is-right", { n }));
			text.setAttribute("aria-label", t("questions.option", { n }));
			nameButton(trash, t("questions.remove-option", { n }));
		};
		return element;
	}

	function changed() {
		question.options = [...options.children].map((element) => element.option);
		order.relabel();
		[...options.children].forEach((element, i) => element.relabel(i + 1));
		add.disabled = options.children.length >= 10;
	}
}

// ---- what a person is shown of questions

/** The number of questions, and those that the other version has not, or otherwise. */
export function shownQuestions(questions, others) {
	const known = new Set((others ?? []).map((question) => JSON.stringify(question)));
	const changed = (questions ?? []).map((question, i) => ({ question, n: i + 1 })).filter(({ question }) =>
		!known.has(JSON.stringify(question)));
	const isReordered = changed.length === 0 && questions?.length === others?.length &&
		JSON.stringify(questions) !== JSON.stringify(others);
	return h("span", { class: "version" }, t("questions.count", { n: questions?.length ?? 0 }),
		isReordered && `, ${t("questions.other-order")}`,
		changed.length > 0 && h("ul", {},
			changed.slice(0, 10).map(({ question, n }) =>
			h("li", {}, h("span", { class: "text" }, `${number(n)}. ${question.text}`),
			h("ul", {}, question.options.map((option) =>
				h("li", { class: option.isCorrect && "right" }, option.text,
				option.isCorrect && ` (${t("questions.right")})`)))))),
		changed.length > 10 && t("questions.more", { n: changed.length - 10 }));
}

/** Shows a test as a learner sees it. Nothing is sent. */
export function preview(test) {
	return openDialog(t("preview"), () => h("div", { class: "content" },
		h("p", { class: "hint" }, t("office-tests.preview-text")),
		h("h3", {}, test.title || t("empty")),
		test.description && h("p", { class: "text" }, test.description),
		test.questions.map((question, i) => h("fieldset", { class: "question" },
			h("legend", {}, h("span", { class: "hint" }, t("take.question-of", { i: i + 1, all: test.questions.length })),
				h("span", { class: "text" }, question.text || t("questions.no-text"))),
			shownMedia(question.mediaUrl),
			question.options.map((option) =>
				h("label", { class: "option" }, h("input", { type: "radio", name: `preview-${i}` }),
				h("span", { class: "text" }, option.text)))))),
	{ isWide: true });
}

/** What is typed may be no address yet. */
function shownMedia(url) {
	try {
		return media(url);
	} catch {
		return h("p", { class: "hint" }, url);
	}
}
