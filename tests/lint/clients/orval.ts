// The same journey by what orval makes for fetch. Its functions ask for paths; baseUrl in its configuration names another host.
import * as api from "./generated/orval/okul";
import type { AuthResponseDto, ContactStatus, ErrorResponse, Level, UpdateMeProfileDto } from "./generated/orval/model";

type Answer = { status: number; data: unknown };

function isGood<A extends Answer>(answer: A): answer is Extract<A, { status: 200 | 201 }> {
	return answer.status < 300;
}

function isError(data: unknown): data is ErrorResponse {
	return typeof data === "object" && data !== null && "errors" in data;
}

class Failure extends Error {
	constructor(readonly status: number, readonly errors: readonly string[]) {
		super(errors.join("; "));
	}
}

/** An answer that is a success, or a Failure with the sentences of the server. */
async function good<A extends Answer>(pending: Promise<A>): Promise<Extract<A, { status: 200 | 201 }>> {
	const answer = await pending;
	if (!isGood(answer))
		throw new Failure(answer.status, isError(answer.data) ? answer.data.errors : []);
	return answer;
}

type Options = { headers: Record<string, string> };

const bearer = (session: AuthResponseDto): Options => ({ headers: { Authorization: `Bearer ${session.accessToken}` } });

async function login(email: string, mailed: (address: string) => Promise<string>): Promise<AuthResponseDto> {
	await good(api.postAuthOtpRequest({ email, language: "en" }));
	const verified = await good(api.postAuthOtpVerify({ email, code: await mailed(email) }));
	return verified.data.data;
}

async function profile(options: Options): Promise<string> {
	const shown = await api.getMe(options);
	if (shown.status !== 200)
		throw new Failure(shown.status, isError(shown.data) ? shown.data.errors : []);
	const change: UpdateMeProfileDto = { bio: null, interests: ["reading"], gender: "other" };
	const headers = { ...options.headers, "If-Match": shown.headers.get("ETag") ?? "*" };
	const changed = await api.patchMe(change, { headers });
	if (changed.status === 412)
		throw new Failure(412, changed.data.errors);
	return changed.status === 200 ? changed.data.data.email : shown.data.data.email;
}

async function take(id: string, options: Options): Promise<Level> {
	const attempt = (await good(api.postProficiencyTestsIdStart(id, options))).data.data;
	const answers = attempt.questions.flatMap((question) => {
		const option = question.options[0];
		return option ? [{ questionId: question.id, optionId: option.id }] : [];
	});
	const saved = await good(api.patchProficiencyTestsAttemptsId(attempt.id, { answers }, options));
	return (await good(api.postProficiencyTestsIdSubmit(id, { answers: saved.data.data.answers }, options))).data.data.level;
}

async function administrate(userId: string, options: Options) {
	const level: Level = "A1";
	const course = await good(api.postCourses({ title: "Deutsch A1", language: "de", level, price: 10.5 }, options));
	const test = await good(api.postProficiencyTests({
		title: "Placement", targetLanguage: "de", durationMinutes: 10,
		questions: [{ text: "Ich ___ müde.", options: [{ text: "bin", isCorrect: true }, { text: "bist", isCorrect: false }] }],
		levelRanges: [{ level, minScore: 0, maxScore: 100 }],
	}, options));
	const material = await good(api.postEducationMaterials({ title: "First words", locale: "en" },
		{ headers: { ...options.headers, "Content-Type": "application/json" } }));
	const summary = await good(api.postEducationMaterialsIdAssign(material.data.data.id, { userIds: [userId], note: null }, options));
	await good(api.deleteEducationMaterialsIdAssignUserId(material.data.data.id, userId, options));
	const asked = await good(api.postContact({ fullName: "Ada", email: "ada@example.com", message: "When?" }));
	const replied = await good(api.postContactIdReply(asked.data.data.id, { message: "Soon." }, options));
	const stats = await good(api.getAdminDashboardStats({ months: 3 }, options));
	const audit = await good(api.getAdminAudit({ subject: userId, limit: 5 }, options));
	const users = await good(api.getUsers({ role: "user", sort: "-createdAt", limit: 1 }, options));
	const status: ContactStatus = replied.data.data.status;
	return {
		course: course.data.data.id, test: test.data.data.id, assigned: summary.data.data.assigned, status,
		trends: stats.data.data.trends.length, actions: audit.data.data.items.map((entry) => entry.action),
		newest: typeof users.data === "string" ? users.data : users.data.data.items[0]?.email ?? null,
	};
}

export async function journey(boss: string, newcomer: string, photo: File, mailed: (address: string) => Promise<string>) {
	const session = await login(newcomer, mailed), options = bearer(session);
	const registered = await good(api.postAuthRegistrationComplete(
		{ name: "Ada", surname: "Lovelace", privacyPolicyAccepted: true, termsOfUseAccepted: true }, options));
	const admin = await administrate(session.user.id, bearer(await login(boss, mailed)));
	const page = await good(api.getCourses({ page: 1, limit: 20, language: "de", level: "A1" }));
	const refused = await api.patchMe({ timezone: "Nowhere", name: "" }, options);
	const uploaded = await good(api.postStorageUpload({ file: photo, folder: "private" }, options));
	const refreshed = await good(api.postAuthRefresh({ refreshToken: session.refreshToken }));
	return {
		...admin, role: registered.data.data.user.role, email: await profile(options), first: page.data.data.items[0]?.title ?? null,
		level: await take(admin.test, options), file: uploaded.data.data.mimeType, expiresIn: refreshed.data.data.expiresIn,
		faults: refused.status === 400 ? refused.data.errors : [],
	};
}
