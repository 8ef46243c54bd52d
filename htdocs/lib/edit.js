// Screens that make something new or change it.
import { request } from "./api.js";
import { confirmDestruction, notify } from "./dialog.js";
import { h, icon } from "./dom.js";
import { busy, countDown, sentencesOf } from "./failure.js";
import { makeForm, sendChange } from "./form.js";
import { go, guardLeaving } from "./route.js";
import { t } from "./text.js";

/**
 * A form for a row of the API. What is typed and not saved guards the screen.
 * @param {Object<string, Field>} fields
 * @param {Object} options as those of makeForm, and
 * @param {string} options.path of the rows, "/courses"
 * @param {string} options.screen where rows are edited, "/office/courses"
 * @param {?{data: Object, etag: string}} options.opened the row; null makes a new one
 * @param {Object} [options.parts] as those of sendChange
 * @param {(data: Object) => void} [options.onSaved] the row as it is now
 * @returns {HTMLFormElement} with `opened`, which may be replaced when the row changed otherwise
 */
export function editForm(fields, { path, screen, opened, parts = {}, onSaved, ...options }) {
	const plain = (name, value) => (name in parts ? parts[name].plain(value) : value);
	const form = makeForm(fields, {
		values: opened?.data, action: t("save"), isChange: opened !== null, ...options,
		submit: async (body) => (form.opened ? change(body) : create(body)),
	});
	form.opened = opened;
	form.classList.add("wide-form");
	guardLeaving(() => form.isConnected && form.isDirty());
	return form;

	async function create(body) {
		const { data } = await request("POST", path, { body });
		guardLeaving(null);
		notify(t("saved"));
		location.replace(`#${screen}/${data.id}`);
	}

	async function change(body) {
		if (Object.keys(body).length === 0)
			return notify(t("nothing-changed"));
		const { data: before, etag } = form.opened;
		const current = `${path}/${before.id}`;
		const isSaved = await sendChange({ path: current, current, etag, before, body, parts });
		form.opened = await request("GET", current);
		// Drawing the form anew would close what was opened and lose the place.
		const isAsShown = Object.entries(form.values()).every(([name, value]) =>
			JSON.stringify(value) === JSON.stringify(plain(name, form.opened.data[name])));
		isAsShown ? form.keep() : form.reset(form.opened.data);
		onSaved?.(form.opened.data);
		if (isSaved)
			notify(t("saved"));
	}
}

/** A button that does one thing, after `ask` agreed, and shows what goes wrong as a notice. */
export function actionButton(name, label, work, { title = label, isSmall = false, isDanger = false, ask } = {}) {
	return h("button", {
		type: "button", class: [isSmall && "small", isDanger && "danger"].filter(Boolean).join(" ") || null,
			"aria-label": title !== label && title,
		title: title !== label && title, onclick: async (event) => {
			const button = event.currentTarget;
			if (ask && !(await ask()))
				return;
			try {
				await busy(button, work);
			} catch (error) {
				notify(sentencesOf(error).join(" "), "bad");
				if (error.retryAfter)
					countDown(button, error.retryAfter);
			}
		},
	}, icon(name), label && h("span", {}, label));
}

/** Copies a row and opens the copy. */
export const duplicateButton = (path, screen, row, isSmall) =>
	actionButton("copy", isSmall ? null : t("duplicate"), async () => {
		const { data } = await request("POST", `${path}/${row.id}/duplicate`);
		notify(t("duplicated", { name: data.title }));
		go(`${screen}/${data.id}`);
	}, { isSmall, title: isSmall ? t("duplicate-name", { name: row.title }) : undefined });

/** Deletes a row once the person has read what goes with it. */
export const deleteButton = (path, row, text, onDeleted, isSmall) =>
	actionButton("trash", isSmall ? null : t("delete"), async () => {
		await request("DELETE", `${path}/${row.id}`);
		notify(t("deleted"));
		onDeleted();
	}, {
		isSmall, isDanger: !isSmall, title: isSmall ? t("delete-name", { name: row.title }) : undefined,
		ask: () => confirmDestruction({ title: t("delete-name", { name: row.title }), text, action: t("delete") }),
	});

/** A switch that publishes a row, or takes it back, at once. */
export function publishSwitch(path, row) {
	const input = h("input", {
		type: "checkbox", role: "switch", checked: row.isPublished, "aria-label": t("published-name", { name: row.title }),
		onchange: async () => {
			const wanted = input.checked;
			input.disabled = true;
			try {
				await request("PATCH", `${path}/${row.id}`, { body: { isPublished: wanted } });
				row.isPublished = wanted;
				notify(t(wanted ? "published" : "unpublished", { name: row.title }));
			} catch (error) {
				input.checked = !wanted;
				notify(sentencesOf(error).join(" "), "bad");
			}
			input.disabled = false;
			input.focus();
		},
	});
	return input;
}
