// Who has a material, who opened it, and giving it to more people.
import { request } from "../lib/api.js";
import { confirmDestruction, notify } from "../lib/dialog.js";
import { fill, h, icon, newId } from "../lib/dom.js";
import { actionButton } from "../lib/edit.js";
import { busy, failureBox } from "../lib/failure.js";
import { makeList } from "../lib/list.js";
import { addressesIn, findPeople, nameOf, personSearch } from "../lib/people.js";
import { t, time } from "../lib/text.js";

const AT_ONCE = 500;	// people a request

/** The part of the material's screen that is about people. */
export function assignments(material) {
	const path = `/education-materials/${material.id}`;
	const list = makeList({
		path: `${path}/assignments`, query: new URLSearchParams(), hasSearch: false, keepsPlace: false, empty: t("assign.nobody"),
		columns: [
			{ key: "fullName", cell: (row) => nameOf(personOf(row)) },
			{ key: "email", cell: (row) => personOf(row).email },
			{ key: "assignedAt", cell: (row) => time(row.assignedAt) },
			{ key: "openedAt", cell: (row) =>
				(row.openedAt ? time(row.openedAt) : h("span", { class: "tag warn" }, t("assign.not-opened"))) },
			{ key: "note", cell: (row) => row.note },
		],
		actions: (row) => actionButton("trash", t("assign.take-back"), async () => {
			await request("DELETE", `${path}/assign/${personOf(row).id}`);
			notify(t("assign.taken-back", { name: nameOf(personOf(row)) }));
			list.reload();
		}, {
			isSmall: true,
			ask: () => confirmDestruction({ title: t("assign.take-back"),
				text: t("assign.take-back-text", { name: nameOf(personOf(row)) }), action: t("assign.take-back") }),
		}),
	});
	return h("section", {}, h("h2", {}, t("assign.who")), list, h("h2", {}, t("assign.give")), giving(path, () => list.reload()));
}

const personOf = (row) => row.user ?? row;

function giving(path, onGiven) {
	const chosen = new Map();
	const people = h("ul", { class: "plain-list chips", "aria-label": t("assign.chosen") });
	const problem = h("div", {});
	const unknown = h("div", { role: "status" });
	const progress = h("span", { class: "hint", role: "status" });
	const pasted = h("textarea", { rows: 3, id: newId("addresses"), autocomplete: "off" });
	const note = h("textarea", { rows: 2, id: newId("note"), maxlength: 1000 });
	const send = h("button", { type: "button", class: "primary", onclick: give });
	const look = h("button", { type: "button", onclick: lookUp }, icon("search"), t("assign.look-up"));
	draw();
	return h("div", { class: "giving" },
		personSearch({ label: t("assign.search"), onChosen: choose }),
		h("div", { class: "field" }, h("label", { for: pasted.id }, t("assign.paste")), pasted,
			h("p", { class: "hint" }, t("assign.paste-hint")),
			h("div", { class: "actions" }, look, progress)),
		unknown, people,
		h("div", { class: "field" }, h("label", { for: note.id }, t("field.note"), h("small", {}, ` ${t("optional")}`)), note),
		problem, h("div", { class: "actions" }, send));

	function choose(person) {
		chosen.set(person.id, person);
		draw();
	}

	function draw() {
		fill(people, [...chosen.values()].map((person) => h("li", { class: "chip" }, h("span", {}, nameOf(person)),
			h("button", { type: "button", class: "plain small", "aria-label": t("assign.drop", { name: nameOf(person) }),
				onclick: () => {
				chosen.delete(person.id);
				draw();
			} }, icon("close")))));
		fill(send, t("assign.send", { n: chosen.size }));
		send.disabled = chosen.size === 0;
	}

	/** Those that are found move to the people; the others stay in the field, so that they can be corrected. */
	async function lookUp() {
		fill(problem);
		const addresses = addressesIn(pasted.value);
		if (addresses.length === 0)
			return fill(unknown, h("p", { class: "box bad" }, t("assign.no-address")));
		try {
			const found = await busy(look,
				() => findPeople(addresses, (n) => (progress.textContent = t("assign.looked-up", { n, all: addresses.length }))));
			found.people.forEach(choose);
			pasted.value = found.unknown.join("\n");
			fill(unknown, found.unknown.length > 0 &&
				h("div", { class: "box warn" }, h("p", {}, t("assign.unknown", { n: found.unknown.length })),
				h("ul", {}, found.unknown.map((address) => h("li", {}, address)))));
		} catch (error) {
			fill(problem, failureBox(error, lookUp));
		}
		progress.textContent = "";
	}

	async function give() {
		fill(problem);
		try {
			const sum = await busy(send, async () => {
				let [assigned, had] = [0, 0];
				while (chosen.size) {
					const ids = [...chosen.keys()].slice(0, AT_ONCE);
					const { data } = await request("POST", `${path}/assign`,
						{ body: { userIds: ids, note: note.value.trim() || null } });
					ids.forEach((id) => chosen.delete(id));
					assigned += data.assigned;
					had += data.alreadyAssigned;
				}
				return { assigned, had };
			});
			notify([t("assign.given", { n: sum.assigned }),
				sum.had > 0 && t("assign.had", { n: sum.had })].filter(Boolean).join(" "));
			note.value = "";
			onGiven();
		} catch (error) {
			fill(problem, failureBox(error, give));
		}
		draw();
	}
}
