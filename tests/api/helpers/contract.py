"""What the contract promises, as tables: routes and shapes. The tests take their expectations from here, never from the
server. A new group pastes its rows and blocks below; a route that has no row here fails the suite (rights.py)."""

import itertools
import json
import os
import re
from dataclasses import dataclass, field as member, replace
from pathlib import Path

# Program, method, path, role, success, request (a shape or ?query parameters), response (X[]: a list, {X}: a page of X).
# A form is form:SHAPE+PART: the fields of the shape, and the field that holds files; any:SHAPE+PART may be JSON without files too.
# "early" marks what a user may do before the registration is complete, "leaving" what one may who has asked to be deleted,
# "live" a GET whose answer is of this moment only: it has no ETag.
ROUTES = """
app    GET     /                            public    200  -                        HelloResponseDto                 -
app    GET     /health                      public    200  -                        HealthResponseDto                live
app    GET     /swagger/json                public    200  -                        application/json                 -
app    GET     /api/docs                    public    200  -                        text/html                        -
users  GET     /me                          user      200  -                        UserProfileResponseDto           early
users  PATCH   /me                          user      200  UpdateMeProfileDto       UserProfileResponseDto           early
users  GET     /me/optional                 optional  200  -                        OptionalAuthResponseDto          -
users  GET     /me/export                   user      200  ?format                  AccountExportDto                 early,leaving,live
users  GET     /users                       admin     200  ?page&limit&search&role&sort&format&separator  {UserResponseDto}    -
users  GET     /admin/audit                 admin     200  ?page&limit&action&actor&subject&from&to  {AuditEntryResponseDto}  -
users  GET     /users/{id}                  admin     200  -                        UserResponseDto                  -
users  DELETE  /users/{id}                  admin     200  -                        DeleteResponseDto                -
users  PATCH   /admin/users/{id}/profile    admin     200  AdminUpdateUserProfileDto  UserResponseDto                -
users  PATCH   /admin/users/{id}/email      admin     200  AdminUpdateUserEmailDto  UserResponseDto                  -
users  PATCH   /admin/users/{id}/role       superadmin  200  UpdateUserRoleDto      UserResponseDto                  -
users  POST    /api/v1/users/me/account-deletion  user  201  -                      AccountDeletionV1ResponseDto     early,leaving
users  DELETE  /api/v1/users/me/account-deletion  user  200  -                      AccountDeletionV1ResponseDto     early,leaving
courses  POST    /courses                   admin     201  CreateCourseDto          CourseResponseDto                -
courses  GET     /courses                   public    200  ?page&limit&search&language&level&sort  {CourseResponseDto}  -
courses  GET     /courses/{id}              public    200  -                        CourseResponseDto                -
courses  PATCH   /courses/{id}              admin     200  UpdateCourseDto          CourseResponseDto                -
courses  DELETE  /courses/{id}              admin     200  -                        DeleteResponseDto                -
courses  POST    /courses/{id}/duplicate    admin     201  -                        CourseResponseDto                -
settings  GET  /settings/{key}              public    200  -                        SettingValueResponseDto          -
settings  POST  /settings                   admin     200  UpsertSettingDto         SettingResponseDto               -
storage  POST  /storage/upload              user      201  form:UploadFileDto+file  UploadFileResponseDto            -
storage  GET   /storage/files/{key}         public    200  ?expires&user&signature  */*                              -
storage  GET   /storage/files               user      200  ?page&limit&search&owner&folder&sort  {UploadFileResponseDto}  -
storage  DELETE  /storage/files/{key}       user      200  -                        DeleteResponseDto                -
proficiency  POST    /proficiency-tests                 admin   201  CreateProficiencyTestDto  ProficiencyTestDetailResponseDto  -
proficiency  GET     /proficiency-tests                 public  200  ?page&limit&search&targetLanguage&sort  {ProficiencyTestListResponseDto}  -
proficiency  POST    /proficiency-tests/import          admin   201  ImportProficiencyTestDto  ProficiencyTestDetailResponseDto  -
proficiency  GET     /proficiency-tests/target-languages  public  200  -                       TargetLanguagesResponseDto        -
proficiency  POST    /proficiency-tests/{id}/duplicate  admin   201  -                         ProficiencyTestDetailResponseDto  -
proficiency  PATCH   /proficiency-tests/{id}            admin   200  UpdateProficiencyTestDto  ProficiencyTestDetailResponseDto  -
proficiency  GET     /proficiency-tests/{id}            public  200  -                         ProficiencyTestDetailResponseDto  -
proficiency  DELETE  /proficiency-tests/{id}            admin   200  -                         DeleteProficiencyTestResponseDto  -
proficiency  POST    /proficiency-tests/{id}/start          user   201  -              StartedAttemptResponseDto  -
proficiency  PATCH   /proficiency-tests/attempts/{id}       user   200  SubmitTestDto  AttemptResponseDto         -
proficiency  POST    /proficiency-tests/{id}/submit         user   201  SubmitTestDto  UserTestResultResponseDto  -
proficiency  GET     /proficiency-tests/{id}/status         user   200  -              UserTestStatusResponseDto  -
proficiency  GET     /proficiency-tests/admin/results/{id}  admin  200  -              UserTestResultResponseDto  -
proficiency  DELETE  /proficiency-tests/admin/results/{id}  admin  200  -              DeleteUserTestResultResponseDto  -
proficiency  GET     /proficiency-tests/admin/results       admin  200  ?page&limit&search&testId&level&targetLanguage&from&to&sort&format&separator  {UserTestResultListResponseDto}  -
proficiency  GET     /proficiency-tests/admin/users/{userId}/results  admin  200  ?page&limit  {UserTestResultListResponseDto}  -
proficiency  GET     /proficiency-tests/results/me          user   200  ?page&limit    {UserTestResultListResponseDto}  -
proficiency  GET     /proficiency-tests/results/{id}        user   200  -              UserTestResultResponseDto  -
auth   POST    /auth/refresh                public    200  RefreshTokenDto          AuthResponseDto                  -
auth   POST    /auth/logout                 user      200  -                        LogoutResponseDto                early,leaving
auth   POST    /auth/otp/request            public    200  RequestOtpUnifiedDto     OtpResponseDto                   -
auth   POST    /auth/otp/verify             public    200  VerifyOtpUnifiedDto      AuthResponseDto                  -
auth   POST    /auth/registration/complete  user      200  CompleteRegistrationDto  CompleteRegistrationResponseDto  early
auth   GET     /auth/registration/status    user      200  -                        RegistrationStatusResponseDto    early
auth   GET     /auth/sessions               user      200  -                        SessionResponseDto[]             early
auth   DELETE  /auth/sessions/{id}          user      200  -                        DeleteResponseDto                early
auth   POST    /api/v1/auth/send-otp-email  public    201  RequestOtpDto            EmailOtpV1ResponseDto            -
auth   POST    /api/v1/auth/verify-otp-email  public  200  VerifyOtpDto             AuthV1ResponseDto                -
auth   POST    /api/v1/auth/refresh         public    200  RefreshTokenDto          TokensV1ResponseDto              -
auth   POST    /api/v1/auth/logout          user      200  -                        LogoutResponseDto                early,leaving
auth   POST    /api/v1/auth/revoke-token    user      200  RefreshTokenDto          DeleteResponseDto                early
auth   GET     /api/v1/auth/sessions        user      200  -                        SessionResponseDto[]             early
auth   GET     /api/v1/auth/validate-token  user      200  -                        TokenValidityV1ResponseDto       early
contact  POST  /contact                     public    201  CreateContactRequestDto  ContactResponseDto               -
contact  GET   /contact/form                public    200  -                        ContactFormResponseDto           live
contact  GET   /contact                     admin     200  ?page&limit&search&status&source&sort&format&separator  {ContactResponseDto}  -
contact  POST  /contact/{id}/reply          admin     200  ReplyContactRequestDto   ContactResponseDto               -
contact  DELETE  /contact/{id}              admin     200  -                        DeleteResponseDto                -
contact  PATCH  /contact/{id}/status        admin     200  UpdateContactStatusRequestDto  ContactResponseDto         -
proficiency  GET  /proficiency-tests/{id}/statistics  admin  200  -  ProficiencyTestStatisticsResponseDto  -
dashboard  GET  /admin/dashboard/stats      admin     200  ?months                  AdminDashboardStatsResponseDto   live
materials  POST    /education-materials                          admin  201  any:CreateEducationMaterialDto+pdfs  EducationMaterialResponseDto            -
materials  GET     /education-materials                          admin  200  ?page&limit&search&locale&sort       {EducationMaterialResponseDto}          -
materials  POST    /education-materials/{id}/assign              admin  200  AssignEducationMaterialDto           AssignEducationMaterialSummaryDto       -
materials  DELETE  /education-materials/{id}/assign/{userId}     admin  200  -                                    DeleteResponseDto                       -
materials  GET     /education-materials/assigned/me              user   200  -                                    MyAssignedEducationMaterialsResponseDto -
materials  GET     /education-materials/assigned/users/{userId}  admin  200  -                                    AdminUserAssignedMaterialsResponseDto   -
materials  GET     /education-materials/{id}                     user   200  -                                    EducationMaterialResponseDto            -
materials  PATCH   /education-materials/{id}                     admin  200  any:UpdateEducationMaterialDto+pdfs  EducationMaterialResponseDto            -
materials  DELETE  /education-materials/{id}                     admin  200  -                                    DeleteEducationMaterialResponseDto      -
"""

SHAPES = """
HelloResponseDto
  message string 1..200
HealthResponseDto
  status enum ok|degraded
  database enum ok|unavailable
  version string 1..40
  schemaVersion int 1..
DeleteResponseDto
  message string 1..200
  id id
LogoutResponseDto
  message string 1..200

RequestOtpUnifiedDto
  email email
  language? enum tr|en|es|de
OtpResponseDto
  message string 1..200
  email email
VerifyOtpUnifiedDto
  email email
  code string 6..6 digits only
RefreshTokenDto
  refreshToken string 16..512
AuthResponseDto
  accessToken string 20..4096
  refreshToken string 16..512
  expiresIn int 1..
  refreshExpiresIn int 1..
  isNewUser bool
  isRegistrationComplete bool
  user UserProfileDto
CompleteRegistrationDto
  name string 1..100
  surname string 1..100
  countryCode? string 1..4 digits only
  phoneNumber? string 4..15 digits only
  birthDate? date
  language? enum tr|en|es|de
  privacyPolicyAccepted bool must be true
  termsOfUseAccepted bool must be true
  consentFormAccepted? bool
CompleteRegistrationResponseDto
  message string 1..200
  user UserProfileDto
RegistrationStatusResponseDto
  isRegistrationComplete bool
  missingFields string[]
SessionResponseDto
  id id
  createdAt time
  lastUsedAt time
  expiresAt time
  ip string 0..45 null
  userAgent string 0..256 null
  isCurrent bool

CreateContactRequestDto
  fullName string 1..200
  email email
  phoneNumber? string 0..20 null
  subject? string 0..200 null
  message string 1..5000
  source? string 0..64 null
  language? enum tr|en|es|de
  website? string 0..200
  stamp? string 0..100
ReplyContactRequestDto
  message string 1..10000
UpdateContactStatusRequestDto
  status enum PENDING|REPLIED
ContactResponseDto
  id id
  fullName string 1..200
  email email
  phoneNumber string 0..20 null
  subject string 0..200 null
  message string 1..5000
  source string 0..64 null
  language enum tr|en|es|de
  status enum PENDING|REPLIED
  reply string 1..10000 null
  repliedAt time null
  createdAt time
DashboardUsersOverviewDto
  total int 0..
  admins int 0..
  registrationCompleted int 0..
  completionRate number
  newLast30Days int 0..
  monthlyGrowthRate number
DashboardCoursesOverviewDto
  total int 0..
DashboardTestsOverviewDto
  totalTests int 0..
  totalSubmissions int 0..
  averageScore number
  submissionsLast30Days int 0..
  monthlyGrowthRate number
DashboardContactsOverviewDto
  total int 0..
  pending int 0..
  replied int 0..
  replyRate number
  newLast30Days int 0..
DashboardMaterialsOverviewDto
  total int 0..
  assignments int 0..
  assignedUsers int 0..
  avgAssignmentsPerUser number
  assignmentsLast30Days int 0..
DashboardOverviewDto
  users DashboardUsersOverviewDto
  courses DashboardCoursesOverviewDto
  tests DashboardTestsOverviewDto
  contacts DashboardContactsOverviewDto
  materials DashboardMaterialsOverviewDto
DashboardTrendDto
  month string 7..7
  label string 8..8
  users int 0..
  testSubmissions int 0..
  contacts int 0..
  materialAssignments int 0..
DashboardDistributionItemDto
  key string 1..64
  label string 1..64
  count int 0..
  percentage number
DashboardLevelDistributionItemDto
  + DashboardDistributionItemDto
  averageScore number
DashboardLanguageDistributionItemDto
  key string 1..64
  label string 1..64
  submissions int 0..
  averageScore number
DashboardDistributionsDto
  roles DashboardDistributionItemDto[]
  contactsByStatus DashboardDistributionItemDto[]
  levels DashboardLevelDistributionItemDto[]
  languages DashboardLanguageDistributionItemDto[]
DashboardRecentContactDto
  id id
  fullName string 1..200
  email email
  status enum PENDING|REPLIED
  createdAt time
  repliedAt time null
  source string 0..64 null
DashboardRecentResultDto
  id id
  userName string 0..201
  userEmail email
  level enum A1|A2|B1|B2|C1|C2
  totalScore number
  targetLanguage string 2..8
  testTitle string 1..200
  completedAt time
DashboardRecentActivityDto
  contacts DashboardRecentContactDto[]
  testResults DashboardRecentResultDto[]
AdminDashboardStatsResponseDto
  generatedAt time
  months int 1..24
  overview DashboardOverviewDto
  trends DashboardTrendDto[]
  distributions DashboardDistributionsDto
  recentActivity DashboardRecentActivityDto

RequestOtpDto
  email email
  language? enum tr|en|es|de
EmailOtpV1ResponseDto
  email email
  code? string 4..4 only when the server runs with OKUL_ENV=development
VerifyOtpDto
  email email
  code string 4..4 digits only
  signupSource? string 0..64
  signupCampaign? string 0..64
TokensV1ResponseDto
  accessToken string 20..4096
  refreshToken string 16..512
  expiresIn int 1..
  refreshExpiresIn int 1..
UserV1Dto
  name string 0..100 null
  surname string 0..100 null
  username string 3..30 null
  countryCode string 0..4 null
  phoneNumber string 0..15 null
  signupSource string 0..64 null
  signupCampaign string 0..64 null
  profilePhoto string 0..512 null
  availabilityStatus enum available|busy|offline
  birthDate time null
  gender enum female|male|other null
  interests string[]
  expertise string 0..64 null
  email email
  bio string 0..500 null
  instagram string 0..64 null
  x string 0..64 null
  tiktok string 0..64 null
  snapchat string 0..64 null
  facebook string 0..64 null
  privacyPolicyAccepted bool
  privacyPolicyVersion string 0..20 null
  termsOfUseAccepted bool
  termsOfUseVersion string 0..20 null
  consentFormAccepted bool
  consentFormVersion string 0..20 null
  isRegistrationComplete bool
  roles string[]
  followersCount int 0..
  followingCount int 0..
  minutePriceInLiveStream number
  creditBalance number
  lastLogin time null
  timezone string 1..64
  lastUsernameChangeDate time null
  accountDeletionStatus enum none|pending|cancelled|finalized
  accountDeletionRequestedAt time null
  accountDeletionScheduledFor time null
  accountDeletionCancelledAt time null
  accountDeletionFinalizedAt time null
AuthV1ResponseDto
  + TokensV1ResponseDto
  user UserV1Dto
  isRegistrationComplete bool
TokenValidityV1ResponseDto
  isValid bool
  expiresAt time
AccountDeletionV1ResponseDto
  status enum none|pending|cancelled|finalized
  requestedAt time null
  scheduledFor time null
  cancelledAt time null

MaterialPdfResponseDto
  id id
  title string 1..200
  fileName string 1..255
  size int 1..
  url url
MaterialVideoDto
  title string 1..200
  url url
MaterialVideoResponseDto
  id id
  title string 1..200
  url url
CreateEducationMaterialDto
  title string 1..200
  description? string 0..5000
  locale enum tr|en|es|de
  level? enum A1|A2|B1|B2|C1|C2 null
  videos? MaterialVideoDto[] 0..50
UpdateEducationMaterialDto
  ? CreateEducationMaterialDto
  removePdfIds? id[] 0..50
EducationMaterialResponseDto
  id id
  title string 1..200
  description string 0..5000
  locale enum tr|en|es|de
  level enum A1|A2|B1|B2|C1|C2 null
  pdfs MaterialPdfResponseDto[]
  videos MaterialVideoResponseDto[]
  createdAt time
  updatedAt time
AssignEducationMaterialDto
  userIds id[] 1..500
  note? string 0..1000 null
AssignEducationMaterialSummaryDto
  materialId id
  requested int 1..500
  assigned int 0..500
  alreadyAssigned int 0..500
AssignedByResponseDto
  id id
  name string 0..201
AssignedEducationMaterialResponseDto
  + EducationMaterialResponseDto
  assignedAt time
  assignedBy AssignedByResponseDto null
  openedAt time null
  note string 0..1000 null
MyAssignedEducationMaterialsResponseDto
  materials AssignedEducationMaterialResponseDto[]
  total int 0..
UserSummaryForAssignmentsDto
  id id
  email email
  name string 0..100 null
  surname string 0..100 null
AdminUserAssignedMaterialsResponseDto
  user UserSummaryForAssignmentsDto
  materials AssignedEducationMaterialResponseDto[]
  total int 0..
DeleteEducationMaterialResponseDto
  + DeleteResponseDto

UploadFileResponseDto
  id id
  key string 1..200
  url url
  fileName string 1..255
  mimeType string 3..127
  size int 0..
  sha256 string 64..64
  isPublic bool

UserProfileDto
  id id
  email email
  role enum user|admin|superadmin
  name string 0..100 null
  surname string 0..100 null
  username string 3..30 null
  language enum tr|en|es|de
  countryCode string 0..4 null
  phoneNumber string 0..15 null
  profilePhoto string 0..512 null
  availabilityStatus enum available|busy|offline
  birthDate date null
  gender enum female|male|other null
  interests string[]
  expertise string 0..64 null
  bio string 0..500 null
  instagram string 0..64 null
  x string 0..64 null
  tiktok string 0..64 null
  snapchat string 0..64 null
  facebook string 0..64 null
  timezone string 1..64
  privacyPolicyAccepted bool
  termsOfUseAccepted bool
  consentFormAccepted bool
  isRegistrationComplete bool
  lastLogin time null
  createdAt time
  updatedAt time
UserProfileResponseDto
  + UserProfileDto
UpdateMeProfileDto
  name? string 1..100
  surname? string 1..100
  username? string 3..30 a-z 0-9 _ . ; unique (409); changes once in 30 days (409)
  language? enum tr|en|es|de
  countryCode? string 1..4 digits only null
  phoneNumber? string 4..15 digits only null
  profilePhoto? string 0..512 null
  availabilityStatus? enum available|busy|offline
  birthDate? date null
  gender? enum female|male|other null
  interests? string[] at most 20 of 1..50
  expertise? string 0..64 null
  bio? string 0..500 null
  instagram? string 0..64 null
  x? string 0..64 null
  tiktok? string 0..64 null
  snapchat? string 0..64 null
  facebook? string 0..64 null
  timezone? string 1..64
PaginationDto
  page int 1..1000000
  limit int 1..100
  total int 0..
  totalPages int 0..
UserResponseDto
  + UserProfileDto
  isActive bool
  accountDeletionStatus enum none|pending|cancelled|finalized
AdminUpdateUserProfileDto
  + UpdateMeProfileDto
  isActive? bool
AdminUpdateUserEmailDto
  email email
UpdateUserRoleDto
  role enum user|admin|superadmin
UpsertSettingDto
  key string 1..100 a-z A-Z 0-9 . _ -
  value json at most 64 KiB as text
  description? string 0..500 null
  isPublic? bool
SettingValueResponseDto
  key string 1..100
  value json
SettingResponseDto
  id id
  key string 1..100
  value json
  description string 0..500 null
  isPublic bool
  createdAt time
  updatedAt time
OptionalAuthResponseDto
  isAuthenticated bool
  message string 1..200
  user UserProfileDto null

CreateCourseDto
  title string 1..200
  description? string 0..20000
  language enum tr|en|es|de
  level? enum A1|A2|B1|B2|C1|C2 null
  price? number 0..1000000000
  currency? string 3..3 letters only
  durationWeeks? int 1..520 null
  imageUrl? url null
  order? int 0..1000000
  isPublished? bool
UpdateCourseDto
  ? CreateCourseDto
CourseResponseDto
  id id
  title string 1..200
  description string 0..20000
  language enum tr|en|es|de
  level enum A1|A2|B1|B2|C1|C2 null
  price number 0..1000000000
  currency string 3..3
  durationWeeks int 1..520 null
  imageUrl url null
  order int 0..1000000
  isPublished bool
  createdAt time
  updatedAt time

OptionDto
  text string 1..1000
  isCorrect bool
QuestionDto
  text string 1..4000
  points? number 0..1000 above 0
  mediaUrl? url null
  options OptionDto[] 2..10, exactly one correct
LevelRangeDto
  level enum A1|A2|B1|B2|C1|C2
  minScore number 0..100
  maxScore number 0..100
CreateProficiencyTestDto
  title string 1..200
  description? string 0..5000
  targetLanguage string 2..8
  durationMinutes? int 1..600 null
  maxAttempts? int 0..100
  shuffle? bool
  isPublished? bool
  questions QuestionDto[] 1..200
  levelRanges LevelRangeDto[] 1..6, covering 0..100 without gap or overlap
UpdateProficiencyTestDto
  ? CreateProficiencyTestDto
LevelRangeResponseDto
  level enum A1|A2|B1|B2|C1|C2
  minScore number
  maxScore number
ProficiencyOptionResponseDto
  id id
  text string 1..1000
  isCorrect? bool only for an admin
ProficiencyQuestionResponseDto
  id id
  text string 1..4000
  points number
  mediaUrl url null
  order int 0..
  options ProficiencyOptionResponseDto[]
ProficiencyTestListResponseDto
  id id
  title string 1..200
  description string 0..5000
  targetLanguage string 2..8
  durationMinutes int 1..600 null
  maxAttempts int 0..100
  shuffle bool
  isPublished bool
  questionCount int 0..
  createdAt time
  updatedAt time
ProficiencyTestDetailResponseDto
  + ProficiencyTestListResponseDto
  questions ProficiencyQuestionResponseDto[]
  levelRanges LevelRangeResponseDto[]
TargetLanguagesResponseDto
  languages string[]
DeleteProficiencyTestResponseDto
  + DeleteResponseDto

AnswerDto
  questionId id
  optionId id
SubmitTestDto
  answers AnswerDto[] 1..200
UserTestAnswerResponseDto
  questionId id
  questionText string 1..4000
  optionId id
  optionText string 1..1000
  isCorrect bool
  points number
UserTestResultUserSummaryDto
  id id
  email email
  name string 0..100 null
  surname string 0..100 null
UserTestResultTestSummaryDto
  id id
  title string 1..200
  targetLanguage string 2..8
UserTestResultListResponseDto
  id id
  user UserTestResultUserSummaryDto
  test UserTestResultTestSummaryDto
  attempt int 1..
  totalScore number
  correctCount int 0..
  questionCount int 1..
  level enum A1|A2|B1|B2|C1|C2
  completedAt time
UserTestResultResponseDto
  + UserTestResultListResponseDto
  answers UserTestAnswerResponseDto[]
UserTestStatusSummaryDto
  resultId id
  totalScore number
  level enum A1|A2|B1|B2|C1|C2
  completedAt time
UserTestStatusResponseDto
  hasCompleted bool
  attempts int 0..
  attemptsLeft int 0.. null
  result UserTestStatusSummaryDto null
DeleteUserTestResultResponseDto
  + DeleteResponseDto
"""

FOLDER = Path(os.environ.get("OKUL_CONTRACT") or Path(__file__).resolve().parents[2] / "contract")
# The shapes of what we add: a file of its own, so that the contract's files stay as its keeper wrote them.
OURS = (Path(__file__).resolve().parents[2] / "contract" / "ours.txt").read_text()

names = itertools.count()

LANGUAGES = ["tr", "en", "es", "de"]
ENVELOPE = ["isSuccess", "statusCode", "data", "errors", "timestamp"]
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
ID = r"^[0-9a-f]{24}$"
JSON_MAX = 65536            # bytes of a field of any JSON


@dataclass(frozen=True)
class Route:
    program: str
    method: str
    path: str
    role: str
    status: int
    request: str | None     # name of a shape
    part: str | None        # the field of a form that holds files
    json: bool              # the body may be JSON
    query: tuple            # names of query parameters
    response: str
    early: bool
    leaving: bool
    live: bool

    def __str__(self):
        return f"{self.method} {self.path}"


@dataclass
class Field:
    name: str
    kind: str               # string int number bool time date id email url enum list object json gift
    optional: bool = False
    nullable: bool = False
    min: int | None = None  # code points, value or number of elements
    max: int | None = None
    words: list = member(default_factory=list)
    digits: bool = False
    letters: bool = False
    username: bool = False
    key: bool = False       # what fits into a path as it is
    must_be_true: bool = False
    above_min: bool = False  # the smallest value is itself too small
    item: str | None = None  # of a list: "string" or the name of a shape
    item_min: int | None = None
    item_max: int | None = None
    of: str | None = None    # of an object: the name of a shape


def read_routes():
    for line in ROUTES.strip().splitlines():
        program, method, path, role, status, request, response, when = line.split()
        query = tuple(request[1:].split("&")) if request.startswith("?") else ()
        shape, _, part = request.removeprefix("form:").removeprefix("any:").partition("+")
        shape = None if query or request == "-" else shape
        yield Route(program, method, path, role, int(status), shape, part or None, bool(shape) and not request.startswith("form:"), query, response, "early" in when,
                    "leaving" in when, "live" in when)


def read_field(line):
    name, kind, *notes = line.split()
    field = Field(name.rstrip("?"), kind, optional=name.endswith("?"))
    rest = " ".join(notes)
    field.nullable = bool(notes) and notes[-1] == "null"
    field.digits = "digits only" in rest
    field.letters = "letters only" in rest
    field.username = rest.find("a-z 0-9 _ .") >= 0
    field.key = "a-z A-Z 0-9 . _ -" in rest
    field.must_be_true = "must be true" in rest
    field.above_min = "above 0" in rest
    if kind in ("string", "int", "number") and notes and ".." in notes[0]:
        low, high = notes[0].split("..")
        field.min, field.max = int(low), int(high) if high else None
    elif kind == "enum":
        field.words = notes[0].split("|")
    elif kind.endswith("[]"):
        field.kind, field.item = "list", kind[:-2]
        many = re.match(r"at most (\d+) of (\d+)\.\.(\d+)", rest)
        if many:
            field.max, field.item_min, field.item_max = map(int, many.groups())
        count = re.match(r"(\d+)\.\.(\d+)", rest)
        if count:
            field.min, field.max = map(int, count.groups())
    elif kind[0].isupper():
        field.kind, field.of = "object", kind
    return field


def read_shapes(text):
    """Blocks in the words of dtos.txt, by the name of the shape."""
    shapes = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            shapes[line.strip()] = current = []
        elif line.startswith("  + ") and line.endswith(" every field may be left out"):
            current += [replace(field, optional=True) for field in shapes[line.split()[1]]]
        elif line.startswith("  + "):
            current += shapes[line[4:].strip()]
        elif line.startswith("  ? "):       # the same, and each may be left out
            current += [replace(field, optional=True) for field in shapes[line[4:].strip()]]
        else:
            current.append(read_field(line))
    return shapes


routes = list(read_routes())
shapes = read_shapes(SHAPES + OURS)
forms = {r.request for r in routes if r.part and not r.json}    # shapes whose fields stand in a form, and nowhere else


def schema_of(field):
    """The field as JSON Schema, as the contract's own schemas.json has it."""
    schema = {
        "string": {"type": "string"}, "int": {"type": "integer"}, "number": {"type": "number"},
        "bool": {"type": "boolean"},
        "time": {"type": "string", "pattern": TIME}, "date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "id": {"type": "string", "pattern": ID}, "email": {"type": "string", "maxLength": 254},
        "url": {"type": "string", "minLength": 1, "maxLength": 2048},
        "gift": {"type": "string", "minLength": 1},
        "enum": {"type": "string", "enum": field.words}, "list": {"type": "array"}, "object": {}, "json": {},
    }[field.kind].copy()
    limits = {"string": ("minLength", "maxLength"), "int": ("minimum", "maximum"),
              "number": ("minimum", "maximum"), "list": ("minItems", "maxItems")}
    low, high = limits.get(field.kind, (None, None))
    if field.min is not None:
        schema["exclusiveMinimum" if field.above_min else low] = field.min
    if field.max is not None:
        schema[high] = field.max
    if field.kind == "list":
        item = {"string": {"type": "string"}, "id": {"type": "string", "pattern": ID}}
        schema["items"] = item.get(field.item) or schema_for(field.item)
    if field.kind == "object":
        schema = schema_for(field.of)
    return {"anyOf": [schema, {"type": "null"}]} if field.nullable else schema


def schema_for(name):
    """The shape as JSON Schema; "X[]" is a list of X, "{X}" a page of X."""
    if name.startswith("{"):
        page = {"items": {"type": "array", "items": schema_for(name[1:-1])}, "pagination": schema_for("PaginationDto")}
        return {"type": "object", "properties": page, "required": list(page), "additionalProperties": False}
    if name.endswith("[]"):
        return {"type": "array", "items": schema_for(name[:-2])}
    return {
        "type": "object", "properties": {f.name: schema_of(f) for f in shapes[name]},
        "required": [f.name for f in shapes[name] if not f.optional], "additionalProperties": False,
    }


def route_of(method, path):
    """The row that a request belongs to, or None; a fixed segment wins over a parameter, whichever methods it has. HEAD
    belongs to GET."""
    method = "GET" if method == "HEAD" else method
    path = path.partition("?")[0]
    found = [r for r in routes if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", r.path), path)]
    best = min(found, key=lambda r: r.path.count("{"), default=None)
    return next((r for r in found if r.method == method and r.path == best.path), None)


# White_Space of Unicode, and what is invisible: trimmed at both ends.
INVISIBLE = ("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
             "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\xad\u202a\u2066\u3164")
# Texts of several lines; all others have one.
LINES = {"description", "message", "note", "bio", "text"}


def good_values(field):
    """Values at the edges of what the field takes (time zones have names of their own, so no edges)."""
    if field.nullable:
        yield "null", None
    if field.name == "timezone":
        yield "a zone", "Europe/Berlin"
    elif field.username:
        own = f"{next(names):02x}"      # a name is taken once
        yield "longest", own.ljust(field.max - 4, "z") + "_.09"
        yield "shortest", own + "a"
    elif field.letters:
        yield "upper case", "EUR".ljust(field.max, "X")
        yield "lower case with white space around it", " " + "try".ljust(field.max, "x") + "\t"
    elif field.key:
        for text in ("k", "k" * field.max, " k\t", "Home.title_2-x", "...", "-", "__proto__"):
            yield repr(text), text
    elif field.kind == "json":
        for value in (None, True, False, 0, -1.5, "", " not trimmed ", "ğ😀", [], {}, [None, [{}]], {"": {"value": 1}}):
            yield repr(value), value
        yield "longest", "x" * (JSON_MAX - 2)
    elif field.kind == "string":
        letter = "7" if field.digits else "ğ"   # one code point, two bytes
        yield "shortest", letter * field.min
        yield "longest", letter * field.max
        yield "longest with white space around it", INVISIBLE + letter * field.max + INVISIBLE
        if not field.digits:
            yield "longest of four bytes each", "😀" * field.max
        if field.name in LINES:
            yield "lines", "a\tb\n\nc"
    elif field.kind == "enum":
        for word in field.words:
            yield word, word
    elif field.kind == "bool":
        yield "true", True
    elif field.kind == "date":
        yield "leap day", "2000-02-29"
        yield "first", "1900-01-01"
    elif field.kind in ("int", "number"):
        yield "smallest", field.min + (1e-6 if field.above_min else 0)
        yield "largest", field.max
        if field.kind == "number":
            yield "a fraction", 0.1
    elif field.kind == "url":
        yield "shortest", "/"
        for text in ("http://example.com", "https://example.com:8080/a%20b.jpg?x=1&y=2#z", "/storage/files/a.png", " /a "):
            yield repr(text), text
        yield "longest", "https://example.com/".ljust(2048, "a")
    elif field.kind == "gift":
        yield "a question", "1 + 1 is {=2 ~3}."
        yield "with white space around it", "\r\n 1 + 1 is {=2 ~3}. \r\n\r\n"
    elif field.kind == "list" and field.item == "MaterialVideoDto":
        yield "empty", []
        yield "full", [{"title": "😀" * 200, "url": "https://example.com/".ljust(2048, "a")}] * field.max
    elif field.kind == "list" and field.item == "string":
        yield "empty", []
        yield "full", ["ü" * field.item_max] * field.max


def bad_values(field):
    """Values that the field must refuse."""
    wrong_types = {"a number": 7, "a fraction": 1.5, "true": True, "a string": "yes", "a list": ["x"],
                   "an object": {"a": "b"}}
    if field.kind == "json":
        yield "too long", "x" * (JSON_MAX - 1)
        yield "too long in bytes", "ğ" * (JSON_MAX // 2)
        return
    own = {"string": ["a string"], "email": ["a string"], "date": ["a string"], "enum": ["a string"], "bool": ["true"],
           "url": ["a string"], "gift": ["a string"], "int": ["a number"], "number": ["a number", "a fraction"], "list": ["a list"]}[field.kind]
    yield from ((why, value) for why, value in wrong_types.items() if why not in own)
    if not field.nullable:
        yield "null", None
    if field.kind == "string":
        letter = "1" if field.digits else "a" if field.username or field.letters or field.key else "ğ"
        yield "too long", letter * (field.max + 1)
        if field.min:
            yield "empty", ""
            yield "white space only", INVISIBLE
        if field.max > 2:
            for control in ("\r", "\x01", "\x1b", "\x7f", "\x80", "\x85", "\x9b") + (() if field.name in LINES else ("\n", "\t", "\r\n")):
                yield f"control character {control!r}", letter + control + letter * max(field.min - 2, 1)
        if field.min and field.min > 1:
            yield "too short", letter * (field.min - 1)
            yield "too short without its white space", " " + letter * (field.min - 1) + " "
        if field.digits:
            yield "a letter", "1" * (field.min - 1) + "a"
            yield "a sign", "-" + "1" * max(field.min - 1, 1)
            yield "digits of another script", "٣" * field.min
        if field.letters:
            for text in ("12$", "T Y", "T\tY", "ğğğ", "€€€", "İÇŞ", "TR1", "T-Y"):
                yield repr(text), text
        if field.username:
            for name in ("a b", "a-b", "çiçek", "a/b", "a@b", "a\tb"):
                yield repr(name), name
        if field.key:
            for text in ("a b", "a/b", "ç", "a\tb", "a%20b", "a:b", "a\n.b", ".", " .. "):
                yield repr(text), text
    elif field.kind in ("int", "number"):
        for number in (field.min - 1, field.max + 1, -1e300, 1e300):
            yield repr(number), number
        yield "a number in quotes", str(field.min + 1)
        if field.above_min:
            yield "the limit", field.min
            yield "just below it", -1e-300
    elif field.kind == "url":
        for text in ("", " ", "x", "a.jpg", "./a.jpg", "//example.com/a.jpg", "ftp://example.com/", "http://", "https:///a",
                     "javascript:alert(1)", "data:image/png;base64,AA==", "https://ada@example.com/", "https://exa mple.com",
                     "/a b", "/ä", "/a\nb", "/<script>", "https://example.com/".ljust(2049, "a"), "/".ljust(2049, "ü")):
            yield repr(text[:40]), text
    elif field.kind == "enum":
        yield "another word", "klingon"
        yield "two words", "|".join(field.words[:2])
        yield "empty", ""
    elif field.kind == "date":
        for text in ("2001-02-29", "2001-13-01", "2001-00-10", "2001-01-00", "2001-1-1", "20010101", "01.01.2001",
                     "2001-01-01T00:00:00.000Z", "2001-01-01x", "", "1899-12-31", "0001-01-01", "9999-12-31"):
            yield repr(text), text
    elif field.kind == "bool":
        yield "0", 0
        yield "1", 1
        yield "the word true", "true"
        if field.must_be_true:
            yield "false", False
    elif field.kind == "email":
        for text in ("", "somebody", "@example.com", "somebody@", "some body@example.com", "a@b@example.com",
                     "a@example..com", ".a@example.com", "a.@example.com", "a..b@example.com", "a@.example.com",
                     "a@example.com.", "a@-example.com", "a,b@example.com", "Ada <a@example.com>",
                     "a@example.com\r\nBcc: b@example.com", "a@exam\tple.com", "a\x01@example.com",
                     "x" * 65 + "@example.com", "a@" + "x" * 64 + ".com", "a@" + ".".join(["x" * 60] * 5)):
            yield repr(text[:40]), text
    elif field.kind == "gift":
        for text in ("", " ", "no question", "1 + 1 is {=2}."):
            yield repr(text), text
    elif field.kind == "list" and field.item == "id":
        good = [f"{i:024x}" for i in range(field.max + 1)]
        if field.min:
            yield "too few", good[:field.min - 1]
        yield "too many", good
        yield "one twice", [good[0], good[1], good[0]]
        yield "one twice, but for white space", [good[0], " " + good[0]]
        for text in ("", "0" * 23, "0" * 25, "g" * 24, "-" + "0" * 23):
            yield repr(text), [good[0], text]
        yield "a null element", [None]
        yield "an element of another type", [good[0], 1]
    elif field.kind == "list" and field.item != "string":
        if field.min:
            yield "too few", [{}] * (field.min - 1)
        yield "too many", [{}] * (field.max + 1)
        yield "elements of another type", ["x"] * (field.min or 1)
    elif field.kind == "list":
        yield "too many", ["x"] * (field.max + 1)
        yield "an empty element", ["x", ""]
        yield "a long element", ["ü" * (field.item_max + 1)]
        yield "an element of another type", ["x", 1]
        yield "a null element", [None]


# ---- the promise to clients as they have it: the files in tests/contract, or those of OKUL_CONTRACT=FOLDER


@dataclass(frozen=True)
class Promise:
    """A row of endpoints.tsv as it stands there."""
    program: str
    method: str
    path: str
    role: str
    success: str
    request: str
    response: str
    title: str

    def __str__(self):
        return f"{self.method} {self.path}"

    @property
    def is_file(self):
        """What the web server sends, outside the envelope."""
        return self.response.startswith("(") and self.response != "(a JSON document)"

    @property
    def query(self):
        """Names of query parameters: ?page&limit, with notes in brackets behind a name."""
        return re.findall(r"[?&](\w+)", self.request) if self.request.startswith("?") else []

    @property
    def takes(self):
        """The name of the body's DTO, or None; files and fields of their own stand beside it in a form."""
        if self.request == "multipart: file, folder?":
            return "UploadFileDto"
        return next(iter(re.findall(r"\w+Dto\b", self.request)), None)

    @property
    def data(self):
        """What a success has as data, as JSON Schema; None for one outside the envelope."""
        if self.is_file:
            return None
        if self.response == "(a JSON document)":    # enveloped, since no word says that it is not
            return {"$ref": "#/$defs/AccountExportDto"}
        name = re.search(r"\w+Dto\b", self.response)[0]
        one = {"$ref": f"#/$defs/{name}"}
        if self.response == name:
            return one
        many = {"type": "array", "items": one}
        if self.response == f"{name}[]":
            return many
        assert re.fullmatch(rf"{{items: {name}\[\], pagination(: PaginationDto)?}}", self.response), self.response
        page = {"items": many, "pagination": {"$ref": "#/$defs/PaginationDto"}}
        return {"type": "object", "properties": page, "required": list(page), "additionalProperties": False}


promises = [Promise(*line.split("\t")) for line in (FOLDER / "endpoints.tsv").read_text().splitlines()[1:]]
promised_of = {(p.method, p.path): p for p in promises}
promised_schemas = json.loads((FOLDER / "schemas.json").read_text())


def promised_field(field):
    """The field as JSON Schema in the style of schemas.json: shapes by their names, null as one more type."""
    named = {name: {"$ref": f"#/$defs/{name}"} for name in (field.of, field.item) if name}
    schema = named.get(field.of) or schema_of(replace(field, nullable=False, item="string" if field.item else None))
    if field.kind == "url":
        schema = {"type": "string", "minLength": 1, "maxLength": 2048}
    if field.kind == "email":
        schema = {"type": "string", "format": "email", "maxLength": 254}
    if field.digits:
        schema["pattern"] = "^[0-9]+$" if field.min else "^[0-9]*$"
    if field.item:
        schema["items"] = {"string": {"type": "string"}, "id": {"type": "string", "pattern": ID}}.get(field.item, named[field.item])
    if not field.nullable:
        return schema
    if "$ref" in schema or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]}


def promised(shapes):
    """Shapes as $defs."""
    return {name: {"type": "object", "properties": {f.name: promised_field(f) for f in fields},
                   "required": [f.name for f in fields if not f.optional], "additionalProperties": False}
            for name, fields in shapes.items()}


promised_dtos = (FOLDER / "dtos.txt").read_text()
their_defs = promised_schemas["$defs"]
promised_schemas = promised_schemas | {"$defs": {n: d for n, d in promised(read_shapes(promised_dtos + OURS)).items()} | their_defs}
