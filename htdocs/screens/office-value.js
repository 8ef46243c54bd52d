// The value of a setting: any JSON, edited as what it is.
import { fill, h } from "../lib/dom.js";
import { checkEditor, editor, jsonEditor, linesEditor, numberEditor, textEditor } from "../lib/form.js";
import { number, t } from "../lib/text.js";

const TYPES = ["text", "number", "boolean", "list", "json"];
const SHOWN = 200;	// characters of a long value in a list

/** How a value is edited. A list of anything else than texts is JSON, and so are null and objects. */
export function typeOf(value) {
	if (Array.isArray(value) && value.every((one) => typeof one === "string" && one.trim() === one && one !== "" &&
		!one.includes("\n")))
		return "list";
	return { string: "text", number: "number", boolean: "boolean" }[typeof value] ?? "json";
}

const FIELDS = {
	text: [textEditor, { type: "string" }],
	number: [numberEditor, { type: "number", isRequired: true }],
	boolean: [checkEditor, { type: "boolean" }],
	list: [linesEditor, { type: "array" }],
	json: [jsonEditor, { isNullable: true }],
};

/** The editor of the field `value`: a choice of the type, and the editor of that type. */
export function valueEditor(field, value) {
	let type = typeOf(value);
	let inner;
	const place = h("div", {});
	const choice = h("select", { "aria-label": t("settings.type"), value: type, onchange: () => {
		const before = inner.getValue();
		type = choice.value;
		draw(convert(before, type));
	} }, TYPES.map((one) => h("option", { value: one }, t(`type.${one}`))));
	draw(value);
	return editor(h("div", { class: "value-editor" }, choice, place), () => inner.getValue(), () => inner.check());

	function draw(now) {
		const [make, shape] = FIELDS[type];
		inner = make({ ...shape, name: "value" }, now);
		inner.setAttribute("aria-label", t("field.value"));
		fill(place, type === "boolean" ? h("label", { class: "check-line" }, inner, " ", t("yes")) : inner);
	}
}

/** What was typed goes on in another type where it can. */
function convert(value, type) {
	const text = typeof value === "string" ? value : Array.isArray(value)
		? value.join("\n") : value === null || value === undefined ? "" : typeof value === "object"
		? JSON.stringify(value) : String(value);
	return {
		text: () => text,
		number: () => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined),
		boolean: () => value === true || text === "true",
		list: () => text.split("\n"),
		json: () => value,
	}[type]();
}

/** A value in a line. */
export function shownSetting(value) {
	if (typeof value === "boolean")
		return t(value ? "yes" : "no");
	if (typeof value === "number")
		return number(value, { maximumFractionDigits: 20 });
	if (typeof value === "string" && value !== "")
		return short(value);
	return value === "" ? h("i", {}, t("empty")) : typeOf(value) === "list"
		? short(value.join(", ")) : h("code", {}, short(JSON.stringify(value)));
}

const short = (text) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
