"""One page that writes and reads the database, and one that goes through the queue."""
import json

from celery.exceptions import TimeoutError as TaskTimeout
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from .models import Entry
from .tasks import add_up

QUEUE_TIMEOUT = 10  # seconds


def as_json(entry):
    return {"id": entry.id, "text": entry.text, "written": entry.written.isoformat()}


@require_GET
def index(request):
    """The page with the latest entries."""
    return render(request, "entries/index.html", {"entries": Entry.objects.all()[:20]})


@require_POST
def create(request):
    """Writes an entry; the body is {"text": ...}."""
    try:
        text = json.loads(request.body)["text"]
    except (ValueError, KeyError, TypeError):
        text = None
    if not isinstance(text, str) or not 0 < len(text) <= 200:
        return JsonResponse({"error": "text has to be a string of 1 to 200 characters"}, status=400)
    return JsonResponse(as_json(Entry.objects.create(text=text)), status=201)


@require_GET
def show(request, number):
    return JsonResponse(as_json(get_object_or_404(Entry, pk=number)))


@require_GET
def total(request):
    """Has a worker add up the numbers of ?numbers=1,2,3 and waits for the answer."""
    try:
        numbers = [int(number) for number in request.GET["numbers"].split(",")]
    except (KeyError, ValueError):
        return JsonResponse({"error": "numbers has to be integers with commas between"}, status=400)
    try:
        return JsonResponse(add_up.delay(numbers).get(timeout=QUEUE_TIMEOUT))
    except TaskTimeout:
        return JsonResponse({"error": f"no worker answered within {QUEUE_TIMEOUT} seconds"}, status=504)
