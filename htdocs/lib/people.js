// Finding people: by parts of their names, or by a list of addresses.
import { get, pause } from "./api.js";
import { debounce, fill, h, icon, newId } from "./dom.js";
import { failureBox } from "./failure.js";
import { t } from "./text.js";

const SHOWN = 8;
const PAGE = 20;

export const nameOf = (person) => [person.name, person.surname].filter(Boolean).join(" ") || person.email;

/**
 * A field that finds people as one types.
 * @param {{label: string, onChosen: (person: Object) => void}} options
 */
export function personSearch({ label, onChosen }) {
	const id = newId("person");
	const found = h("ul", { class: "plain-list found", "aria-live": "polite" });
	let turn = 0;
	const look = debounce(async (text) => {
		const mine = ++turn;
		if (text === "")
			return fill(found);
		try {
			const { items, pagination } = await get("/users", { search: text, limit: SHOWN });
			if (mine === turn)
				fill(found, items.map(line), items.length === 0 && h("li", { class: "hint" }, t("people.nobody")),
					pagination.total > SHOWN && h("li", { class: "hint" }, t("people.more", { n: pagination.total - SHOWN })));
		} catch (error) {
			if (mine === turn)
				fill(found, h("li", {}, failureBox(error, () => look(text))));
		}
	});
	const input = h("input", { type: "search", id, autocomplete: "off", maxlength: 100, oninput: () => look(input.value.trim()),
		// In a form, Enter would send it.
		onkeydown: (event) => event.key === "Enter" && event.preventDefault() });
	const line = (person) => h("li", {}, h("button", { type: "button", class: "plain", onclick: () => {
		input.value = "";
		fill(found);
		onChosen(person);
		input.focus();
	} }, icon("plus"), h("span", {}, nameOf(person)), h("span", { class: "hint" }, person.email)));
	return h("div", { class: "field person-search" }, h("label", { for: id }, label), input, found);
}

/** The e-mail addresses in a text, each once; "Ayşe <ayse@example.com>" and any separators are taken. */
export const addressesIn = (text) =>
	[...new Set((text.match(/[^\s<>,;:"'()[\]]+@[^\s<>,;:"'()[\]]+/g) ?? []).map((one) => one.replace(/\.$/, "").toLowerCase()))];

/**
 * Looks each address up.
 * @param {string[]} addresses
 * @param {(done: number) => void} onProgress
 * @returns {Promise<{people: Object[], unknown: string[]}>}
 */
export async function findPeople(addresses, onProgress) {
	const people = [];
	const unknown = [];
	for (const [i, address] of addresses.entries()) {
		onProgress(i);
		const person = await personOf(address);
		person ? people.push(person) : unknown.push(address);
	}
	return { people, unknown };
}

/** The search finds parts of addresses, so that the one that is meant may stand on a later page: ali@ is part of veli.ali@. */
async function personOf(address) {
	for (let page = 1, pages = 1; page <= pages; page++) {
		const { items, pagination } = await patiently(() => get("/users", { search: address.slice(0, 100), limit: PAGE, page }));
		const person = items.find((one) => one.email.toLowerCase() === address);
		if (person)
			return person;
		pages = pagination.totalPages;
	}
	return null;
}

/** Many requests may be too many at once: then the server says how long to wait. */
async function patiently(work) {
	for (;;) {
		try {
			return await work();
		} catch (error) {
			if (error.status !== 429 || !error.retryAfter)
				throw error;
			await pause(error.retryAfter);
		}
	}
}
