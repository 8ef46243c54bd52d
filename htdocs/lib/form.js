// Forms made of the shapes of the API. A field is drawn by its type; a screen names only what differs: another order, an editor of
// its own, a hint. So a field that the API gains appears in the form.
import { Failure, request } from "./api.js";
import { openDialog } from "./dialog.js";
import { append, fill, h, newId } from "./dom.js";
import { busy, countDown, sentencesOf } from "./failure.js";
import { fieldLabel, t, tryText, valueLabel } from "./text.js";

/**
 * An editor: what draws a field. It is an element with two properties.
 * @typedef {HTMLElement & {getValue: () => any, check: () => ?string}} Editor
 *     getValue: the value for the API, undefined for nothing; check: what is wrong in a sentence, or null. An editor with parts may
 *     have sayAt(path, sentence), which shows a sentence of the API at a part ("[2].text"; "": the whole) and returns
 *     whether it did, and sayNothing(), which takes those away
 */

/**
 * Makes a form.
 * @param {Object<string, Field>} fields of schema.js
 * @param {Object} options
 * @param {Object} [options.values] what the fields hold at first
 * @param {string[]} [options.first] names that come first, in this order
 * @param {string[]} [options.skip] names that are left out
 * @param {Object<string, (field, value) => Editor>} [options.editors] editors of its own, by name
 * @param {string} options.action the label of the button
 * @param {boolean} [options.isChange] send only what changed
 * @param {(values: Object, form: HTMLFormElement) => Promise<void>} options.submit throws a Failure, whose sentences are shown at
 *     their fields
 * @param {Node} [options.more] stands before the button
 * @returns {HTMLFormElement} with `isDirty()`, `values()`, `reset(values)`, and `keep()`: what is shown is what is stored
 */
export function makeForm(fields, { values = {}, first = [], skip = [], editors = {}, action, isChange = false, submit, more }) {
	const names = [...first.filter((name) => name in fields), ...Object.keys(fields).filter((name) => !first.includes(name))]
		.filter((name) => !skip.includes(name));
	const rows = new Map();
	const top = h("div", { role: "alert" });
	const body = h("div", { class: "fields" });
	const button = h("button", { class: "primary" }, action);
	const form = h("form", { novalidate: true, onsubmit: onSubmit }, top, body, more, h("div", { class: "actions" }, button));
	let before = {};

	form.isDirty = () => names.some((name) => !same(rows.get(name).editor.getValue(), before[name]));
	form.values = () => Object.fromEntries(names.map((name) => [name, rows.get(name).editor.getValue()]).filter(([, value]) => value !== undefined));
	form.reset = reset;
	form.keep = () => (before = Object.fromEntries(names.map((name) => [name, rows.get(name).editor.getValue()])));
	form.showErrors = (sentences) => showErrors(form, rows, top, sentences);
	reset(values);
	return form;

	function reset(now) {
		body.replaceChildren();
		for (const name of names) {
			const row = makeRow(fields[name], now[name], editors[name], isChange);
			rows.set(name, row);
			body.append(row);
		}
		form.keep();
	}

	async function onSubmit(event) {
		event.preventDefault();
		const faults = [];
		for (const [name, row] of rows) {
			const fault = row.editor.check?.() ?? null;
			row.say(fault ? [fault] : []);
			if (fault)
				faults.push(name);
		}
		top.replaceChildren();
		if (faults.length)
			return rows.get(faults[0]).focusFirst();
		const sent = form.values();
		if (isChange)
			for (const name of Object.keys(sent))
				if (same(sent[name], before[name]))
					delete sent[name];
		try {
			await busy(button, () => submit(sent, form));
		} catch (error) {
			if (!(error instanceof Failure))
				throw error;
			showErrors(form, rows, top, error.errors);
			if (error.retryAfter)
				countDown(button, error.retryAfter);
		}
	}
}

/** Shows sentences of the API, "title: must be ...", at their fields, and the others above. */
function showErrors(form, rows, top, sentences) {
	const at = new Map();
	const others = [];
	for (const sentence of sentences) {
		const [, name, rest, text] = /^(\w+)((?:[.[][\w.[\]]*)?): (.*)$/s.exec(sentence) ?? [];
		if (!rows.has(name))
			others.push(sentence);
		else
			at.set(name, [...(at.get(name) ?? []), { rest, text }]);
	}
	for (const [name, row] of rows) {
		row.editor.sayNothing?.();
		row.say((at.get(name) ?? []).filter(({ rest, text }) => !row.editor.sayAt?.(rest, text))
			.map(({ rest, text }) => (rest ? `${rest.replace(/^\./, "")}: ${text}` : text)));
	}
	fill(top, others.length ? h("div", { class: "box bad" }, others.map((sentence) => h("p", {}, sentence))) : null);
	rows.get([...at.keys()][0])?.focusFirst();
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** A field with label, hint and errors. In a change every field may be left as it is, so that goes without saying. */
function makeRow(field, value, makeEditor = editorOf(field), isChange = false) {
	const id = newId("field");
	const errors = h("div", { class: "error", id: `${id}-error` });
	const hint = tryText(`hint.${field.name}`, null);
	const editor = makeEditor(field, value);
	const control = editor.matches("input, select, textarea") ? editor : editor.querySelector("[data-control]");
	const isCheckbox = control?.type === "checkbox";
	const label = [fieldLabel(field.name), !field.isRequired && !isChange && !isCheckbox && h("small", {}, ` ${t("optional")}`)];
	const described = [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
	let row;
	if (control) {
		control.id = id;
		control.setAttribute("aria-describedby", described);
		row = isCheckbox ? h("div", { class: "field check" }, h("label", {}, editor, " ", label))
			: h("div", { class: "field" }, h("label", { for: id }, label), editor);
	} else {
		row = h("fieldset", { class: "field", "aria-describedby": described }, h("legend", {}, label), editor);
	}
	append(row, [hint && h("p", { class: "hint", id: `${id}-hint` }, hint), errors]);
	row.dataset.name = field.name;
	row.addEventListener("input", () => errors.firstChild && row.say([]));
	row.editor = editor;
	row.say = (sentences) => {
		fill(errors, sentences.map((sentence) => h("p", {}, sentence)));
		control?.[sentences.length ? "setAttribute" : "removeAttribute"]("aria-invalid", "true");
	};
	row.focusFirst = () => (control ?? row.querySelector("[aria-invalid]") ?? row.querySelector("input, select, textarea, button"))?.focus();
	return row;
}

// ---- editors by type

function editorOf(field) {
	if (field.enum)
		return selectEditor;
	if (field.type === "boolean")
		return checkEditor;
	if (field.type === "integer" || field.type === "number")
		return numberEditor;
	if (field.type === "array" && field.items?.type === "string")
		return linesEditor;
	if (field.type === "string")
		return field.maxLength > 300 && !field.format ? textEditor : lineEditor;
	return jsonEditor;
}

/** Adds the two properties of an editor. */
export function editor(element, getValue, check = () => null) {
	return Object.assign(element, { getValue, check });
}

/** An empty field means null where the API takes that, else that it is not sent. */
const emptyOf = (field) => (field.isNullable ? null : undefined);

export function selectEditor(field, value) {
	const select = h("select", { value: value ?? "" },
		(!field.isRequired || field.isNullable || value === undefined) && h("option", { value: "" }, field.isRequired ? t("choose") : "–"),
		field.enum.map((one) => h("option", { value: one }, valueLabel(one))));
	return editor(select, () => select.value || emptyOf(field), () => (field.isRequired && !select.value ? t("invalid.required") : null));
}

export function checkEditor(field, value) {
	const input = h("input", { type: "checkbox", checked: value ?? false });
	return editor(input, () => input.checked, () => (field.const === true && !input.checked ? t("invalid.must-accept") : null));
}

export function numberEditor(field, value) {
	const input = h("input", {
		type: "number", inputmode: field.type === "integer" ? "numeric" : "decimal", step: field.type === "integer" ? 1 : "any",
		min: field.minimum, max: field.maximum, value: value ?? "", required: field.isRequired,
	});
	return editor(input, () => (input.value === "" ? emptyOf(field) : Number(input.value)), () => {
		const { badInput, rangeUnderflow, rangeOverflow, stepMismatch } = input.validity;
		if (badInput || stepMismatch)
			return t(field.type === "integer" ? "invalid.integer" : "invalid.number");
		if (rangeUnderflow || rangeOverflow)
			return t("invalid.range", { min: field.minimum ?? "–", max: field.maximum ?? "–" });
		return field.isRequired && input.value === "" ? t("invalid.required") : null;
	});
}

const FORMATS = { email: "email", date: "date", uri: "url" };
const AUTOCOMPLETE = { name: "given-name", surname: "family-name", email: "email", phoneNumber: "tel-national", birthDate: "bday" };

export function lineEditor(field, value) {
	const input = h("input", {
		type: FORMATS[field.format] ?? "text", autocomplete: AUTOCOMPLETE[field.name] ?? "off", required: field.isRequired,
		inputmode: field.pattern === "^[0-9]+$" && "numeric", value: value ?? "",
	});
	return editor(input, () => textOf(field, input.value), () => checkText(field, input));
}

export function textEditor(field, value) {
	const area = h("textarea", { rows: field.maxLength > 2000 ? 8 : 4, required: field.isRequired, value: value ?? "" });
	return editor(area, () => textOf(field, area.value), () => checkText(field, area));
}

/** The empty text is a value of its own where the API takes it. */
function textOf(field, text) {
	if (text.trim() !== "")
		return text;
	if (field.isNullable)
		return null;
	return field.minLength || field.isRequired || field.format ? undefined : "";
}

function checkText(field, input) {
	const text = input.value.trim();
	const length = [...text].length;	// code points, as the API counts
	if (text === "")
		return input.validity.badInput ? t("invalid.date") : field.isRequired ? t("invalid.required") : null;
	if (input.type === "email" && !text.includes("@"))
		return t("invalid.email");
	if (field.minLength > length)
		return t("invalid.short", { n: field.minLength });
	if (field.maxLength < length)
		return t("invalid.long", { n: field.maxLength, now: length });
	if (field.pattern && input.type === "text" && !matches(field.pattern, text))
		return field.pattern === "^[0-9]+$" ? t("invalid.digits") : t("invalid.pattern");
	return null;
}

/** A pattern that the browser cannot read is left to the server. */
function matches(pattern, text) {
	try {
		return new RegExp(pattern, "u").test(text);
	} catch {
		return true;
	}
}

/** A list of texts, one a line. */
export function linesEditor(field, value) {
	const area = h("textarea", { rows: 3, value: (value ?? []).join("\n") });
	const lines = () => area.value.split("\n").map((line) => line.trim()).filter(Boolean);
	return editor(area, lines, () => (field.maxItems < lines().length ? t("invalid.many", { n: field.maxItems }) : null));
}

/** Anything else as JSON text, so that a field of a shape that nobody foresaw can still be edited. */
export function jsonEditor(field, value) {
	const area = h("textarea", { rows: 6, class: "code", spellcheck: "false", value: value === undefined ? "" : JSON.stringify(value, null, 2) });
	const parse = () => (area.value.trim() === "" ? emptyOf(field) : JSON.parse(area.value));
	return editor(area, () => {
		try {
			return parse();
		} catch {
			return area.value;
		}
	}, () => {
		try {
			parse();
			return null;
		} catch (error) {
			return t("invalid.json", { why: error.message });
		}
	});
}

// ---- changes of something that others may have changed meanwhile

/**
 * Sends a change with If-Match. If somebody else was faster, shows both versions side by side and sends what the person chose.
 * @param {{method?: string, path: string, current: string, etag: string, before: Object, body: Object}} change `path` takes the
 *     change, `current` is the GET of what is changed, or a function that returns its data and tag; `etag` and `before` what that gave when the form was opened
 * @param {Object<string, {plain: (value) => any, show: (value, other) => Node}>} [change.parts] fields that are no plain values:
 *     `plain` makes what the API takes of what it gives, `show` what a person is shown of it beside the other version
 * @param {(body: Object, before: Object) => Object} [change.complete] adds what every request needs
 * @returns {Promise<?Object>} the new version; null when the person keeps the other's
 * @throws {Failure}
 */
export async function sendChange({ method = "PATCH", path, current, etag, before, body, parts = {}, complete = (sent) => sent }) {
	for (;;) {
		try {
			return (await request(method, path, { body: complete(body, before), etag })).data;
		} catch (error) {
			if (error.status !== 412)
				throw error;
		}
		const now = typeof current === "function" ? await current() : await request("GET", current);
		const [old, theirs] = [plainOf(before, parts), plainOf(now.data, parts)];
		// What nobody types, as the time of the last login, is no conflict.
		if (Object.keys(theirs).some((name) => !NOT_TYPED.has(name) && !same(old[name], theirs[name]))) {
			const chosen = await askBoth(old, body, theirs, parts);
			if (!chosen)
				return null;
			if (Object.keys(chosen).length === 0)
				return now.data;
			body = chosen;
		}
		[etag, before] = [now.etag, now.data];
	}
}

const NOT_TYPED = new Set(["createdAt", "updatedAt", "lastLogin", "questionCount", "isRegistrationComplete", "pdfs"]);

const plainOf = (version, parts) =>
	Object.fromEntries(Object.entries(version).map(([name, value]) => [name, name in parts ? parts[name].plain(value) : value]));

/** Both versions of each field that differs. @returns {Promise<?Object>} the fields to send */
function askBoth(before, mine, theirs, parts) {
	const names = new Set([...Object.keys(mine), ...Object.keys(theirs).filter((name) => !NOT_TYPED.has(name) && !same(before[name], theirs[name]))]);
	const rows = [...names].filter((name) => !same(name in mine ? mine[name] : before[name], theirs[name]));
	return openDialog(t("conflict.title"), (close) => {
		const chosen = new Map();
		const cell = (name, value, other, isMine) => h("td", { "data-label": t(isMine ? "conflict.mine" : "conflict.theirs") },
			h("label", {}, h("input", {
				type: "radio", name: `conflict-${name}`, checked: chosen.get(name) === isMine, onchange: () => chosen.set(name, isMine),
			}), " ", parts[name]?.show(value, other) ?? shownValue(value)));
		const table = h("table", { class: "conflict" },
			h("thead", {}, h("tr", {}, ["conflict.field", "conflict.theirs", "conflict.mine"].map((key) => h("th", { scope: "col" }, t(key))))),
			h("tbody", {}, rows.map((name) => {
				chosen.set(name, name in mine);
				const own = name in mine ? mine[name] : before[name];
				return h("tr", {}, h("th", { scope: "row" }, fieldLabel(name)), cell(name, theirs[name], own, false), cell(name, own, theirs[name], true));
			})));
		const result = () => Object.fromEntries(rows.filter((name) => chosen.get(name)).map((name) => [name, name in mine ? mine[name] : before[name]]));
		return [
			h("div", { class: "content" }, h("p", {}, t("conflict.text")), h("div", { class: "scroll", tabindex: 0 }, table)),
			h("footer", {},
				h("button", { type: "button", onclick: () => close(null) }, t("conflict.keep-theirs")),
				h("button", { type: "button", class: "primary", onclick: () => close(result()) }, t("save"))),
		];
	}, { isWide: true });
}

function shownValue(value) {
	if (value === null || value === undefined || value === "")
		return h("i", {}, t("empty"));
	if (typeof value === "object")
		return h("code", {}, JSON.stringify(value, null, 1));
	return typeof value === "boolean" ? t(value ? "yes" : "no") : h("span", { class: "value" }, valueLabel(value));
}
