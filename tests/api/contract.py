"""What the contract promises, as tables: routes and shapes. The tests take their expectations from here, never from the
server. A new group pastes its rows and blocks below; a route that has no row here fails the suite (rights.py)."""

import itertools
import re
from dataclasses import dataclass, field as member

# Program, method, path, role, success, request (a shape or ?query parameters), response (X[]: a list, {X}: a page of X).
# A form is form:SHAPE+PART: the fields of the shape, and the field that holds files.
# "early" marks what a user may do before the registration is complete, "leaving" what one may who has asked to be deleted.
ROUTES = """
app    GET     /                            public    200  -                        HelloResponseDto                 -
app    GET     /health                      public    200  -                        HealthResponseDto                -
app    GET     /swagger/json                public    200  -                        application/json                 -
app    GET     /api/docs                    public    200  -                        text/html                        -
users  GET     /me                          user      200  -                        UserProfileResponseDto           early
users  PATCH   /me                          user      200  UpdateMeProfileDto       UserProfileResponseDto           early
users  GET     /me/optional                 optional  200  -                        OptionalAuthResponseDto          -
users  GET     /me/export                   user      200  -                        AccountExportDto                 early,leaving
users  GET     /users                       admin     200  ?page&limit&search&role&sort&format  {UserResponseDto}    -
users  GET     /users/{id}                  admin     200  -                        UserResponseDto                  -
users  DELETE  /users/{id}                  admin     200  -                        DeleteResponseDto                -
users  PATCH   /admin/users/{id}/profile    admin     200  AdminUpdateUserProfileDto  UserResponseDto                -
users  PATCH   /admin/users/{id}/email      admin     200  AdminUpdateUserEmailDto  UserResponseDto                  -
users  PATCH   /admin/users/{id}/role       superadmin  200  UpdateUserRoleDto      UserResponseDto                  -
users  POST    /api/v1/users/me/account-deletion  user  201  -                      AccountDeletionV1ResponseDto     early,leaving
users  DELETE  /api/v1/users/me/account-deletion  user  200  -                      AccountDeletionV1ResponseDto     early,leaving
storage  POST  /storage/upload              user      201  form:UploadFileDto+file  UploadFileResponseDto            -
storage  GET   /storage/files/{key}         public    200  ?expires&signature       application/octet-stream         -
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
AccountExportDto
  generatedAt time
  profile UserProfileDto
  account UserV1Dto
  registeredAt time null
  consents AccountConsentDto[]
  sessions AccountSessionDto[]
  changes AccountChangeDto[]
  events AccountEventDto[]
  waitingMails AccountMailDto[]
AccountConsentDto
  text string 1..100
  version string 0..20 null
  acceptedAt time
AccountSessionDto
  id id
  createdAt time
  lastUsedAt time
  expiresAt time
  ip string 0..45 null
  userAgent string 0..256 null
AccountChangeDto
  at time
  action string 1..100
  before string null
  after string null
AccountEventDto
  kind string 1..100
  at time
AccountMailDto
  id id
  template string 1..100
  createdAt time
  attempts int 0..
AccountDeletionV1ResponseDto
  status enum none|pending|cancelled|finalized
  requestedAt time null
  scheduledFor time null
  cancelledAt time null

UploadFileDto
  folder? enum public|private
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
OptionalAuthResponseDto
  isAuthenticated bool
  message string 1..200
  user UserProfileDto null
"""

names = itertools.count()

LANGUAGES = ["tr", "en", "es", "de"]
ENVELOPE = ["isSuccess", "statusCode", "data", "errors", "timestamp"]
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
ID = r"^[0-9a-f]{24}$"


@dataclass(frozen=True)
class Route:
    program: str
    method: str
    path: str
    role: str
    status: int
    request: str | None     # name of a shape
    part: str | None        # the field of a form that holds files
    query: tuple            # names of query parameters
    response: str
    early: bool
    leaving: bool

    def __str__(self):
        return f"{self.method} {self.path}"


@dataclass
class Field:
    name: str
    kind: str               # string int number bool time date id email enum list object
    optional: bool = False
    nullable: bool = False
    min: int | None = None  # code points, value or number of elements
    max: int | None = None
    words: list = member(default_factory=list)
    digits: bool = False
    username: bool = False
    must_be_true: bool = False
    item: str | None = None  # of a list: "string" or the name of a shape
    item_min: int | None = None
    item_max: int | None = None
    of: str | None = None    # of an object: the name of a shape


def read_routes():
    for line in ROUTES.strip().splitlines():
        program, method, path, role, status, request, response, when = line.split()
        query = tuple(request[1:].split("&")) if request.startswith("?") else ()
        shape, _, part = request.removeprefix("form:").partition("+")
        shape = None if query or request == "-" else shape
        yield Route(program, method, path, role, int(status), shape, part or None, query, response, "early" in when, "leaving" in when)


def read_field(line):
    name, kind, *notes = line.split()
    field = Field(name.rstrip("?"), kind, optional=name.endswith("?"))
    rest = " ".join(notes)
    field.nullable = bool(notes) and notes[-1] == "null"
    field.digits = "digits only" in rest
    field.username = rest.find("a-z 0-9 _ .") >= 0
    field.must_be_true = "must be true" in rest
    if kind in ("string", "int") and notes and ".." in notes[0]:
        low, high = notes[0].split("..")
        field.min, field.max = int(low), int(high) if high else None
    elif kind == "enum":
        field.words = notes[0].split("|")
    elif kind.endswith("[]"):
        field.kind, field.item = "list", kind[:-2]
        many = re.match(r"at most (\d+) of (\d+)\.\.(\d+)", rest)
        if many:
            field.max, field.item_min, field.item_max = map(int, many.groups())
    elif kind[0].isupper():
        field.kind, field.of = "object", kind
    return field


def read_shapes():
    shapes = {}
    for line in filter(str.strip, SHAPES.splitlines()):
        if not line.startswith(" "):
            shapes[line.strip()] = current = []
        elif line.startswith("  + "):
            current += shapes[line[4:].strip()]
        else:
            current.append(read_field(line))
    return shapes


routes = list(read_routes())
shapes = read_shapes()
forms = {r.request for r in routes if r.part}       # shapes whose fields stand in a form, and nowhere else


def schema_of(field):
    """The field as JSON Schema, as the contract's own schemas.json has it."""
    schema = {
        "string": {"type": "string"}, "int": {"type": "integer"}, "number": {"type": "number"},
        "bool": {"type": "boolean"},
        "time": {"type": "string", "pattern": TIME}, "date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "id": {"type": "string", "pattern": ID}, "url": {"type": "string", "minLength": 1, "maxLength": 2048}, "email": {"type": "string", "maxLength": 254},
        "enum": {"type": "string", "enum": field.words}, "list": {"type": "array"}, "object": {},
    }[field.kind].copy()
    limits = {"string": ("minLength", "maxLength"), "int": ("minimum", "maximum"), "list": ("minItems", "maxItems")}
    low, high = limits.get(field.kind, (None, None))
    if field.min is not None:
        schema[low] = field.min
    if field.max is not None:
        schema[high] = field.max
    if field.kind == "list":
        schema["items"] = {"type": "string"} if field.item == "string" else schema_for(field.item)
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
    """The row that a request belongs to, or None; a fixed segment wins over a parameter. HEAD belongs to GET."""
    method = "GET" if method == "HEAD" else method
    path = path.partition("?")[0]
    found = [r for r in routes if r.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", r.path), path)]
    return min(found, key=lambda r: r.path.count("{"), default=None)


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
    elif field.kind == "string":
        letter = "7" if field.digits else "ğ"   # one code point, two bytes
        yield "shortest", letter * field.min
        yield "longest", letter * field.max
        yield "longest with white space around it", " \t\r\n" + letter * field.max + " \t\r\n"
        if not field.digits:
            yield "longest of four bytes each", "😀" * field.max
    elif field.kind == "enum":
        for word in field.words:
            yield word, word
    elif field.kind == "bool":
        yield "true", True
    elif field.kind == "date":
        yield "leap day", "2000-02-29"
    elif field.kind == "list":
        yield "empty", []
        yield "full", ["ü" * field.item_max] * field.max


def bad_values(field):
    """Values that the field must refuse."""
    wrong_types = {"a number": 7, "a fraction": 1.5, "true": True, "a string": "yes", "a list": ["x"],
                   "an object": {"a": "b"}}
    own = {"string": "a string", "email": "a string", "date": "a string", "enum": "a string", "bool": "true",
           "list": "a list"}[field.kind]
    yield from ((why, value) for why, value in wrong_types.items() if why != own)
    if not field.nullable:
        yield "null", None
    if field.kind == "string":
        letter = "1" if field.digits else "a" if field.username else "ğ"
        yield "too long", letter * (field.max + 1)
        if field.min:
            yield "empty", ""
            yield "white space only", " \t\r\n "
        if field.min and field.min > 1:
            yield "too short", letter * (field.min - 1)
            yield "too short without its white space", " " + letter * (field.min - 1) + " "
        if field.digits:
            yield "a letter", "1" * (field.min - 1) + "a"
            yield "a sign", "-" + "1" * max(field.min - 1, 1)
            yield "digits of another script", "٣" * field.min
        if field.username:
            for name in ("a b", "a-b", "çiçek", "a/b", "a@b", "a\tb"):
                yield repr(name), name
    elif field.kind == "enum":
        yield "another word", "klingon"
        yield "two words", "|".join(field.words[:2])
        yield "empty", ""
    elif field.kind == "date":
        for text in ("2001-02-29", "2001-13-01", "2001-00-10", "2001-01-00", "2001-1-1", "20010101", "01.01.2001",
                     "2001-01-01T00:00:00.000Z", "2001-01-01x", ""):
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
    elif field.kind == "list":
        yield "too many", ["x"] * (field.max + 1)
        yield "an empty element", ["x", ""]
        yield "a long element", ["ü" * (field.item_max + 1)]
        yield "an element of another type", ["x", 1]
        yield "a null element", [None]
