"""Every route twice: async views at /..., the same ones blocking at /sync/...; ASGI and WSGI run both."""

from django.urls import include, path

from demo import sync_views, views


def routes(module):
    return [
        path("login", module.login),
        path("api/me", module.me),
        path("api/visits", module.count_visit),
        path("api/verified", module.verified),
        path("api/signout-everywhere", module.sign_out_everywhere),
    ]


urlpatterns = [
    *routes(views),
    path("sync/", include(routes(sync_views))),
    path("", views.page),
    path("auth/reset-password", views.page),  # what the links of e-mails open
    path("auth/verify-email", views.page),
    path("<str:name>", views.page),
]
