// The people of the school.
import { download, get, request } from "../lib/api.js";
import { confirmDestruction, notify } from "../lib/dialog.js";
import { fill, h, icon } from "../lib/dom.js";
import { busy, failureBox } from "../lib/failure.js";
import { lineEditor, makeForm, sendChange } from "../lib/form.js";
import { makeList } from "../lib/list.js";
import { guardLeaving } from "../lib/route.js";
import { parameters, shape } from "../lib/schema.js";
import { date, language, percent, t, time, valueLabel } from "../lib/text.js";

const ROLES = ["user", "admin", "superadmin"];

export async function users({ query }) {
	const known = await parameters("GET", "/users");
	const yesNo = [["true", t("yes")], ["false", t("no")]];
	return [
		h("div", { class: "head" }, h("h1", {}, t("menu./office/users")),
			h("div", { class: "actions" },
				h("button", { type: "button", onclick: (event) => csv(event.currentTarget, "/users", query, "users.csv") }, icon("download"), "CSV"),
				h("a", { class: "button", href: "#/office/users/import" }, icon("upload"), t("users.import")))),
		makeList({
			path: "/users", query, empty: t("users.empty"),
			link: (user) => `#/office/users/${user.id}`,
			columns: [
				{ key: "name", isSortable: true, label: t("users.name"), cell: nameOf },
				{ key: "email", isSortable: true, cell: (user) => user.email },
				{ key: "role", cell: (user) => [valueLabel(user.role), !user.isActive && h("span", { class: "tag bad" }, t("users.inactive")),
					!user.isRegistrationComplete && h("span", { class: "tag warn" }, t("users.unregistered"))] },
				{ key: "lastLogin", cell: (user) => time(user.lastLogin) },
				{ key: "createdAt", isSortable: true, cell: (user) => date(user.createdAt) },
			],
			filters: [
				{ name: "role", choices: ROLES.map((role) => [role, valueLabel(role)]) },
				known.isActive && { name: "isActive", choices: yesNo },
				known.isRegistrationComplete && { name: "isRegistrationComplete", label: t("users.registered"), choices: yesNo },
			].filter(Boolean),
		}),
	];
}

const nameOf = (user) => [user.name, user.surname].filter(Boolean).join(" ") || user.email;

/** Saves what a list shows as CSV. Spreadsheets of these languages want semicolons. */
export async function csv(button, path, query, name) {
	const filters = Object.fromEntries([...query].filter(([key]) => key !== "page"));
	try {
		await busy(button, () => download(path, { ...filters, format: "csv", separator: language() === "en" ? "comma" : "semicolon" }, name));
	} catch (error) {
		notify(error.message, "bad");
	}
}

export async function user({ params, user: me }) {
	const path = `/users/${params.id}`;
	const [{ data, etag }, fields] = await Promise.all([request("GET", path), shape("AdminUpdateUserProfileDto")]);
	const opened = { before: data, etag };
	const isSelf = data.id === me.id;
	// Only a superadmin touches an admin.
	const mayChange = me.role === "superadmin" || data.role === "user";
	const top = h("div", {});
	const box = h("div", {});
	draw(data);
	return box;

	async function reload() {
		const now = await request("GET", path);
		Object.assign(opened, { before: now.data, etag: now.etag });
		draw(now.data);
	}

	/** A change that is no form. */
	async function act(button, work) {
		fill(top);
		try {
			await busy(button, work);
		} catch (error) {
			fill(top, failureBox(error));
		}
	}

	async function change(url, body, sentence) {
		if (await sendChange({ path: url, current: path, ...opened, body }))
			notify(sentence);
		await reload();
	}

	function draw(found) {
		const form = makeForm(fields, {
			values: found, first: ["name", "surname", "username", "language", "countryCode", "phoneNumber", "birthDate", "gender"],
			skip: ["isActive"], editors: { profilePhoto: lineEditor }, action: t("save"), isChange: true,
			submit: async (body) => (Object.keys(body).length ? change(`/admin/users/${found.id}/profile`, body, t("saved")) : notify(t("nothing-changed"))),
		});
		form.classList.add("wide-form");
		guardLeaving(() => form.isConnected && form.isDirty());
		fill(box,
			h("p", {}, h("a", { href: "#/office/users" }, t("users.all"))),
			h("h1", {}, nameOf(found), !found.isActive && h("span", { class: "tag bad" }, t("users.inactive"))),
			h("dl", { class: "facts" },
				h("dt", {}, t("field.email")), h("dd", {}, found.email),
				h("dt", {}, t("field.role")), h("dd", {}, valueLabel(found.role)),
				h("dt", {}, t("field.lastLogin")), h("dd", {}, time(found.lastLogin) || "–"),
				h("dt", {}, t("field.createdAt")), h("dd", {}, time(found.createdAt)),
				found.accountDeletionStatus === "pending" && [h("dt", {}, t("users.deletion")), h("dd", {}, t("users.deletion-pending"))]),
			top,
			!mayChange && h("div", { class: "box" }, t("users.superadmin-only")),
			h("section", {}, h("h2", {}, t("users.results")), makeList({
				path: `/proficiency-tests/admin/users/${found.id}/results`, query: new URLSearchParams(), hasSearch: false, keepsPlace: false, empty: t("users.no-results"),
				link: (result) => `#/office/results/${result.id}`,
				columns: [
					{ key: "test", label: t("results.test"), cell: (result) => result.test.title },
					{ key: "level", cell: (result) => result.level }, { key: "totalScore", cell: (result) => percent(result.totalScore) },
					{ key: "completedAt", cell: (result) => time(result.completedAt) },
				],
			})),
			h("section", {}, h("h2", {}, t("users.materials")), given(found)),
			mayChange && [
				h("section", {}, h("h2", {}, t("menu./profile")), form),
				h("section", {}, h("h2", {}, t("users.address")), emailForm(found)),
				me.role === "superadmin" && !isSelf && h("section", {}, h("h2", {}, t("field.role")), roleForm(found)),
				!isSelf && h("section", {}, h("h2", {}, t("users.account")), h("div", { class: "actions" }, activity(found), removal(found)))]);
	}

	function emailForm(found) {
		const place = h("div", { class: "narrow" });
		shape("AdminUpdateUserEmailDto").then((emailFields) => place.append(makeForm(emailFields, {
			values: found, action: t("users.change-address"),
			submit: async (body) => (body.email === found.email ? notify(t("nothing-changed")) : change(`/admin/users/${found.id}/email`, body, t("users.address-changed"))),
		})));
		return place;
	}

	function roleForm(found) {
		const select = h("select", { "aria-label": t("field.role"), value: found.role }, ROLES.map((role) => h("option", { value: role }, valueLabel(role))));
		return h("form", { class: "actions", onsubmit: (event) => {
			event.preventDefault();
			act(event.submitter, () => change(`/admin/users/${found.id}/role`, { role: select.value }, t("saved")));
		} }, h("div", { class: "filter" }, select), h("button", {}, t("users.change-role")));
	}

	function activity(found) {
		return h("button", { type: "button", class: found.isActive ? "danger" : "", onclick: async (event) => {
			const button = event.currentTarget;
			if (found.isActive && !(await confirmDestruction({ title: t("users.deactivate"), text: t("users.deactivate-ask", { name: nameOf(found) }), action: t("users.deactivate") })))
				return;
			await act(button, () => change(`/admin/users/${found.id}/profile`, { isActive: !found.isActive }, t("saved")));
		} }, t(found.isActive ? "users.deactivate" : "users.activate"));
	}

	function removal(found) {
		return h("button", { type: "button", class: "danger", onclick: async (event) => {
			const button = event.currentTarget;
			if (await confirmDestruction({ title: t("users.delete"), text: t("users.delete-ask", { name: nameOf(found) }), action: t("users.delete") }))
				await act(button, async () => {
					await request("DELETE", path, { etag: opened.etag });
					guardLeaving(null);
					notify(t("deleted"));
					location.replace("#/office/users");
				});
		} }, icon("trash"), t("users.delete"));
	}

	/** The materials that the person has, which can be taken back. */
	function given(found) {
		const place = h("div", {});
		load();
		return place;

		async function load() {
			try {
				const { materials } = await get(`/education-materials/assigned/users/${found.id}`);
				fill(place, materials.length ? h("ul", { class: "plain-list" }, materials.map((material) => h("li", { class: "row-card" },
					h("div", {}, h("a", { href: `#/office/materials/${material.id}` }, material.title),
						h("p", { class: "hint" }, [t("users.given", { day: date(material.assignedAt) }), material.openedAt ? t("users.opened", { time: time(material.openedAt) }) : t("users.not-opened")].join(" · "))),
					h("button", { type: "button", class: "small", onclick: (event) => act(event.currentTarget, async () => {
						await request("DELETE", `/education-materials/${material.id}/assign/${found.id}`);
						await load();
					}) }, t("users.take-back"))))) : h("p", { class: "nothing" }, t("users.no-materials")));
			} catch (error) {
				fill(place, failureBox(error, load));
			}
		}
	}
}
