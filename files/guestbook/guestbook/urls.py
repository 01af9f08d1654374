from django.urls import path

from entries import views

urlpatterns = [
    path("", views.index),
    path("entries/", views.create),
    path("entries/<int:number>/", views.show),
    path("sum/", views.total),
]
