// Elements. Text always becomes a text node: no markup of a user is ever parsed.

/**
 * Makes an element.
 * @param {string} tag
 * @param {Object<string, any>} [attributes] on... is a listener; true sets, false, null and undefined leave out; `value`,
 *     `checked`, `selected`, `indeterminate` and `srcObject` are set as properties
 * @param {...(Node|string|number|null|undefined|false|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === false || value === null || value === undefined)
			continue;
		if (name.startsWith("on"))
			element.addEventListener(name.slice(2), value);
		else if (PROPERTIES.has(name))
			element[name] = value;
		else
			element.setAttribute(name, value === true ? "" : value);
	}
	append(element, children);
	// The value of a select exists only after its options.
	if (tag === "select" && attributes?.value !== undefined)
		element.value = attributes.value ?? "";
	return element;
}

const PROPERTIES = new Set(["value", "checked", "selected", "indeterminate", "srcObject"]);

/** Appends children as h() takes them. */
export function append(element, children) {
	for (const child of [children].flat(Infinity))
		if (child !== null && child !== undefined && child !== false)
			element.append(child);
	return element;
}

/** Replaces all children. */
export function fill(element, ...children) {
	element.replaceChildren();
	return append(element, children);
}

/** An icon of icons.svg that says nothing to a screen reader. */
export function icon(name) {
	const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
	const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
	use.setAttribute("href", `icons.svg#${name}`);
	svg.setAttribute("class", "icon");
	svg.setAttribute("aria-hidden", "true");
	svg.append(use);
	return svg;
}

/** Names a button that shows an icon alone. */
export function nameButton(button, name) {
	button.title = name;
	button.setAttribute("aria-label", name);
}

let last = 0;

/** An id that no element has. */
export const newId = (prefix = "e") => `${prefix}${++last}`;

/** Calls `work` once the caller was silent for `ms`. */
export function debounce(work, ms = 300) {
	let timer;
	return (...words) => {
		clearTimeout(timer);
		timer = setTimeout(() => work(...words), ms);
	};
}
