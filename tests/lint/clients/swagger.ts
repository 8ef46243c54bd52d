// The same journey by swagger-typescript-api.
import { Api, ContactStatus, Gender, Language, Level, Role, StorageFolder } from "./generated/swagger";
import type { AuthResponseDto, ErrorResponse } from "./generated/swagger";

function isError(thrown: unknown): thrown is { error: ErrorResponse } {
	return typeof thrown === "object" && thrown !== null && "error" in thrown;
}

function connect(baseUrl: string) {
	return new Api<AuthResponseDto>({
		baseUrl,
		securityWorker: (session) => session ? { headers: { Authorization: `Bearer ${session.accessToken}` } } : {},
	});
}

type Connection = ReturnType<typeof connect>;

async function login(api: Connection, email: string, mailed: (address: string) => Promise<string>): Promise<AuthResponseDto> {
	await api.auth.postAuthOtpRequest({ email, language: Language.En });
	const session = (await api.auth.postAuthOtpVerify({ email, code: await mailed(email) })).data.data;
	api.setSecurityData(session);
	return session;
}

async function profile(api: Connection): Promise<Gender | null> {
	const shown = await api.me.getMe();
	const headers = { "If-Match": shown.headers.get("ETag") ?? "*" };
	const changed = await api.me.patchMe({ bio: null, interests: ["reading"], gender: Gender.Other }, { headers });
	return changed.data.data.gender;
}

async function faults(api: Connection): Promise<readonly string[]> {
	try {
		await api.me.patchMe({ timezone: "Nowhere", name: "" });
	} catch (thrown) {
		if (isError(thrown))
			return thrown.error.errors;
	}
	return [];
}

async function take(api: Connection, id: string): Promise<Level> {
	const attempt = (await api.proficiencyTests.postProficiencyTestsIdStart(id)).data.data;
	const answers = attempt.questions.flatMap((question) => {
		const option = question.options[0];
		return option ? [{ questionId: question.id, optionId: option.id }] : [];
	});
	const saved = await api.proficiencyTests.patchProficiencyTestsAttemptsId(attempt.id, { answers });
	const result = await api.proficiencyTests.postProficiencyTestsIdSubmit(id, { answers: saved.data.data.answers });
	return result.data.data.level;
}

async function administrate(api: Connection, userId: string, photo: File) {
	const course = await api.courses.postCourses({ title: "Deutsch A1", language: Language.De, level: Level.A1, price: 10.5 });
	const test = await api.proficiencyTests.postProficiencyTests({
		title: "Placement", targetLanguage: "de", durationMinutes: 10,
		questions: [{ text: "Ich ___ müde.", options: [{ text: "bin", isCorrect: true }, { text: "bist", isCorrect: false }] }],
		levelRanges: [{ level: Level.A1, minScore: 0, maxScore: 100 }],
	});
	const material = await api.educationMaterials.postEducationMaterials({ title: "First words", locale: Language.En });
	const summary = await api.educationMaterials.postEducationMaterialsIdAssign(material.data.data.id, { userIds: [userId], note: null });
	await api.educationMaterials.deleteEducationMaterialsIdAssignUserId(material.data.data.id, userId);
	const asked = await api.contact.postContact({ fullName: "Ada", email: "ada@example.com", message: "When?" });
	const replied = await api.contact.postContactIdReply(asked.data.data.id, { message: "Soon." });
	const stats = await api.admin.getAdminDashboardStats({ months: 3 });
	const audit = await api.admin.getAdminAudit({ subject: userId, limit: 5 });
	const users = await api.users.getUsers({ role: Role.User, sort: "-createdAt", limit: 1 });
	const uploaded = await api.storage.postStorageUpload({ file: photo, folder: StorageFolder.Private });
	return {
		course: course.data.data.id, test: test.data.data.id, assigned: summary.data.data.assigned,
		replied: replied.data.data.status === ContactStatus.REPLIED, trends: stats.data.data.trends.length,
		actions: audit.data.data.items.map((entry) => entry.action), file: uploaded.data.data.mimeType,
		newest: users.data.data.items[0]?.email ?? null,
	};
}

export async function journey(base: string, boss: string, newcomer: string, photo: File,
	mailed: (address: string) => Promise<string>) {
	const admin = connect(base), user = connect(base);
	const session = await login(user, newcomer, mailed);
	const registered = await user.auth.postAuthRegistrationComplete(
		{ name: "Ada", surname: "Lovelace", privacyPolicyAccepted: true, termsOfUseAccepted: true });

	await login(admin, boss, mailed);
	const made = await administrate(admin, session.user.id, photo);
	const page = await user.courses.getCourses({ page: 1, limit: 20, language: Language.De, level: Level.A1 });
	const refreshed = await user.auth.postAuthRefresh({ refreshToken: session.refreshToken });
	return {
		...made, role: registered.data.data.user.role, gender: await profile(user), faults: await faults(user),
		first: page.data.data.items[0]?.title ?? null, level: await take(user, made.test), expiresIn: refreshed.data.data.expiresIn,
	};
}
