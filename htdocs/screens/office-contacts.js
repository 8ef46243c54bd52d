// What people wrote to the school, and the answers.
import { request } from "../lib/api.js";
import { confirmDestruction, notify } from "../lib/dialog.js";
import { fill, h, icon } from "../lib/dom.js";
import { busy, failureBox } from "../lib/failure.js";
import { makeForm } from "../lib/form.js";
import { makeList } from "../lib/list.js";
import { guardLeaving } from "../lib/route.js";
import { shape } from "../lib/schema.js";
import { t, time, valueLabel } from "../lib/text.js";
import { csv } from "./office-users.js";

const STATUSES = ["PENDING", "REPLIED"];

const statusTag = (one) => h("span", { class: one.status === "PENDING" ? "tag warn" : "tag good" }, valueLabel(one.status));

export function contacts({ query }) {
	return [
		h("div", { class: "head" }, h("h1", {}, t("menu./office/contacts")),
			h("div", { class: "actions" }, h("button", { type: "button", onclick: (event) => csv(event.currentTarget, "/contact", query, "contacts.csv") }, icon("download"), "CSV"))),
		makeList({
			path: "/contact", query, empty: t("contacts.empty"),
			link: (one) => `#/office/contacts/${one.id}`,
			columns: [
				{ key: "fullName", isSortable: true, cell: (one) => one.fullName },
				{ key: "subject", cell: (one) => one.subject ?? (one.message.length > 80 ? `${one.message.slice(0, 80)} …` : one.message) },
				{ key: "status", cell: statusTag },
				{ key: "createdAt", isSortable: true, cell: (one) => time(one.createdAt) },
			],
			filters: [{ name: "status", choices: STATUSES.map((status) => [status, valueLabel(status)]) }, { name: "source" }],
		}),
	];
}

/** The API has no GET of one request: it is found in the list, by its id. */
async function find(id) {
	for (let page = 1, pages = 1; page <= pages; page++) {
		const { data, etag } = await request("GET", "/contact", { query: { page, limit: 100 } });
		const found = data.items.find((one) => one.id === id);
		if (found)
			return { found, etag };
		pages = data.pagination.totalPages;
	}
	return { found: null };
}

export async function contact({ params }) {
	const [{ found }, fields] = await Promise.all([find(params.id), shape("ReplyContactRequestDto")]);
	if (!found)
		return [h("h1", {}, t("not-found")), h("p", {}, h("a", { href: "#/office/contacts" }, t("contacts.all")))];
	const box = h("div", {});
	draw(found);
	return box;

	async function again() {
		const now = await find(params.id);
		if (now.found)
			draw(now.found);
	}

	function draw(one) {
		const problem = h("div", {});
		const act = async (button, work) => {
			try {
				await busy(button, work);
			} catch (error) {
				fill(problem, failureBox(error));
			}
		};
		fill(box,
			h("p", {}, h("a", { href: "#/office/contacts" }, t("contacts.all"))),
			h("h1", {}, one.subject ?? t("contacts.from", { name: one.fullName }), statusTag(one)),
			h("dl", { class: "facts" },
				h("dt", {}, t("field.fullName")), h("dd", {}, one.fullName),
				h("dt", {}, t("field.email")), h("dd", {}, h("a", { href: `mailto:${one.email}` }, one.email)),
				one.phoneNumber && [h("dt", {}, t("field.phoneNumber")), h("dd", {}, h("a", { href: `tel:${one.phoneNumber.replace(/[^+\d]/g, "")}` }, one.phoneNumber))],
				one.source && [h("dt", {}, t("field.source")), h("dd", {}, one.source)],
				h("dt", {}, t("field.language")), h("dd", {}, valueLabel(one.language)),
				h("dt", {}, t("field.createdAt")), h("dd", {}, time(one.createdAt))),
			h("div", { class: "box text" }, one.message),
			problem,
			one.reply ? [h("h2", {}, t("contacts.reply-of", { time: time(one.repliedAt) })), h("div", { class: "box good text" }, one.reply)] : reply(one),
			h("div", { class: "actions" },
				h("button", { type: "button", onclick: (event) => act(event.currentTarget, async () => {
					await request("PATCH", `/contact/${one.id}/status`, { body: { status: one.status === "PENDING" ? "REPLIED" : "PENDING" } });
					notify(t("saved"));
					await again();
				}) }, t(one.status === "PENDING" ? "contacts.mark-done" : "contacts.mark-open")),
				h("button", { type: "button", class: "danger", onclick: async (event) => {
					const button = event.currentTarget;
					if (await confirmDestruction({ title: t("contacts.delete"), text: t("contacts.delete-ask", { name: one.fullName }), action: t("delete") }))
						await act(button, async () => {
							await request("DELETE", `/contact/${one.id}`);
							guardLeaving(null);
							notify(t("deleted"));
							location.replace("#/office/contacts");
						});
				} }, icon("trash"), t("contacts.delete"))));
	}

	function reply(one) {
		const form = makeForm(fields, {
			action: t("contacts.send"),
			submit: async (body) => {
				try {
					await request("POST", `/contact/${one.id}/reply`, { body });
				} catch (error) {
					// Somebody else was faster: show what they wrote, above what was typed here.
					const now = error.status === 409 ? await find(one.id) : {};
					if (now.found?.reply)
						error.errors.push(t("contacts.other-reply", { text: now.found.reply }));
					throw error;
				}
				guardLeaving(null);
				notify(t("contacts.sent", { email: one.email }));
				await again();
			},
		});
		guardLeaving(() => form.isConnected && Boolean(form.values().message));
		return [h("h2", {}, t("contacts.reply")), h("p", { class: "hint" }, t("contacts.reply-text", { email: one.email, language: valueLabel(one.language) })), form];
	}
}
