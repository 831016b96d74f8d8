"""Pages for the signed-in person's own account, and the way in."""

from django.urls import path

from accounts.views import entra, profile, second_step, security, sign_in

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-in/code/", second_step.code, name="sign-in-code"),
    path("sign-in/set-up/", second_step.set_up, name="sign-in-set-up"),
    path("sign-in/microsoft/", entra.begin, name="sign-in-entra"),
    path("sign-in/microsoft/callback/", entra.back, name="sign-in-entra-back"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("profile/", profile.profile, name="profile"),
    path("profile/security/", security.security, name="security"),
    path("profile/security/sign-out/", security.end, name="security-end"),
    path("profile/security/codes/", security.codes_on, name="codes-on"),
    path("profile/security/codes/off/", security.codes_off, name="codes-off"),
    path("profile/security/recovery-codes/", security.new_recovery_codes, name="recovery-codes"),
]
