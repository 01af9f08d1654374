"""Settings of the guestbook; what differs from host to host comes from an env file.

The file is named by GUESTBOOK_ENV and has lines of KEY=value, as systemd and docker read them.
"""
import os
from pathlib import Path


def read_env(path):
    """KEY=value lines of `path` as a dict; blank lines and comments are skipped."""
    values = {}
    for line in Path(path).read_text().splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            values[key] = value
    return values


env = read_env(os.environ.get("GUESTBOOK_ENV", "/etc/guestbook.env"))

SECRET_KEY = env["SECRET_KEY"]
ALLOWED_HOSTS = env["ALLOWED_HOSTS"].split(",")
DEBUG = False

INSTALLED_APPS = ["django.contrib.staticfiles", "entries"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "guestbook.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": env["DATABASE_HOST"],
        "PORT": env["DATABASE_PORT"],
        "NAME": env["DATABASE_NAME"],
        "USER": env["DATABASE_USER"],
        "PASSWORD": env["DATABASE_PASSWORD"],
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = env["BROKER_URL"]
CELERY_RESULT_BACKEND = env["RESULT_URL"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

STATIC_URL = "/static/"
STATIC_ROOT = env["STATIC_ROOT"]
TIME_ZONE = "UTC"
USE_TZ = True
