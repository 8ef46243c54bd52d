"""Valid request bodies."""

PROFILE = {
    "name": "Ayşe Gül", "surname": "Yılmaz", "language": "tr", "countryCode": "90", "phoneNumber": "5372505890",
    "profilePhoto": "https://example.com/a.jpg", "availabilityStatus": "busy", "birthDate": "1992-02-29",
    "gender": "other", "interests": ["müzik", "reading", "😀"], "expertise": "İngilizce",
    "bio": "Zeile 1\nZeile 2 \"'<>&\\ \u2028.", "instagram": "ayse",
    "x": "ayse_x", "tiktok": "t", "snapchat": "s", "facebook": "f", "timezone": "Europe/Berlin",
}
GOOD_QUESTION = {"text": "1 + 1 is", "options": [{"text": "2", "isCorrect": True}, {"text": "3", "isCorrect": False}]}
GOOD_TEST = {"title": "Of the fields", "targetLanguage": "en", "questions": [GOOD_QUESTION],
             "levelRanges": [{"level": "A1", "minScore": 0, "maxScore": 100}]}
GOOD_IMPORT = {k: v for k, v in GOOD_TEST.items() if k != "questions"} | {"gift": "1 + 1 is {=2 ~3}."}
GOOD_MATERIAL = {"title": "Of the fields", "locale": "en"}
