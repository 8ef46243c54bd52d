// A school with an administrator in two browsers, for tests of the office's screens.
import { checkAccess, checkLayout, DESKTOP, PHONE, School, shot } from "./school.js";

export const PDF = Buffer.from(
	"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");

export class Office {
	static async start() {
		const office = new Office();
		office.school = await School.start();
		office.admin = await office.school.person("office@example.com", { role: "superadmin", name: "Deniz", surname: "Ak" });
		office.page = await office.school.page({ size: DESKTOP });
		office.phone = await office.school.page({ size: PHONE, dark: true });
		for (const one of [office.page, office.phone]) {
			office.school.advance(61);	// the next code
			await office.school.enter(one, "office@example.com");
		}
		return office;
	}

	stop() {
		return this.school.stop();
	}

	/** The data of a GET. */
	async get(where) {
		return (await this.admin.call("GET", where)).data;
	}

	/** A screen as it is seen by both: layout, axe, and pictures in each size and colour scheme. */
	async look(name, where) {
		for (const [one, size] of [[this.page, "desktop"], [this.phone, "phone"]]) {
			await this.school.open(one, where);
			for (const scheme of ["dark", "light"]) {
				await one.emulateMedia({ colorScheme: scheme });
				await checkAccess(one);
				await shot(one, `${name}-${size}-${scheme}`);
			}
			await checkLayout(one);
		}
	}

	/** A notice stays for some seconds; an older one must not be taken for that of what comes next. */
	async forgetNotices() {
		for (const one of [this.page, this.phone])
			await one.evaluate(() => document.querySelectorAll(".notices p").forEach((notice) => notice.remove()));
	}

	/** Saves, and waits until the form says that it is done. */
	async save(one = this.page, within = one) {
		await this.forgetNotices();
		await within.getByRole("button", { name: "Save" }).click();
		await one.getByText("Saved", { exact: true }).waitFor();
	}
}
