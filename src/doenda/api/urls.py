from django.urls import path

from doenda.api import views

urlpatterns = [path("<str:provider>", views.doorbell)]
