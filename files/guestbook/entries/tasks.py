import socket

from celery import shared_task


@shared_task
def add_up(numbers):
    """The sum of `numbers`, and the host whose worker found it."""
    return {"sum": sum(numbers), "worker": socket.gethostname()}
