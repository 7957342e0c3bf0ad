"""What e-mails look like: a code, a button, in light and in dark mail clients, and the same in plain text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from supertokens_py.secret import masked

from .types import EmailContent

_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{subject}</title>
<style>
:root {{ color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{
  .page {{ background: #16181d !important; }}
  .card {{ background: #23262d !important; }}
  .text {{ color: #e8eaed !important; }}
  .small, .small a {{ color: #a9afb9 !important; }}
}}
</style>
</head>
<body class="page" style="margin:0;background:#f3f4f6;font-family:Helvetica,Arial,sans-serif">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0">
<tr><td align="center" style="padding:32px 16px">
<table role="presentation" class="card" cellpadding="0" cellspacing="0"
 style="width:100%;max-width:520px;background:#ffffff;border-radius:8px">
<tr><td class="text" style="padding:32px;color:#1f2329;font-size:16px;line-height:1.5">
<p style="margin:0 0 16px;font-size:20px;font-weight:bold">{app}</p>
<p style="margin:0 0 24px">{message}</p>
{body}<p class="small" style="margin:0;color:#5f6672;font-size:13px">{note}</p>
</td></tr></table>
<p class="small" style="margin:16px 0 0;color:#5f6672;font-size:13px">This e-mail is for {to}.</p>
</td></tr></table>
</body>
</html>
"""

_CODE = """\
<p class="text" style="margin:0 0 24px;color:#1f2329;font-family:Menlo,Consolas,monospace;font-size:28px;
font-weight:bold;letter-spacing:4px">{code}</p>
"""

_LINK = """\
<p style="margin:0 0 24px">
<a href="{link}" style="display:inline-block;padding:12px 24px;border-radius:6px;
background:#1d4ed8;color:#ffffff;text-decoration:none;font-weight:bold">{button}</a></p>
<p class="small" style="margin:0 0 4px;color:#5f6672;font-size:13px">
If the button does not work, open this link:</p>
<p class="small" style="margin:0 0 16px;color:#5f6672;font-size:13px;word-break:break-all">
<a href="{link}" style="color:#5f6672">{link}</a></p>
"""

_TEXT = """\
{app}

{message}

{body}{note}

This e-mail is for {to}.
"""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """An e-mail with a code, a link, or both. It is plain text; what HTML would read as markup is escaped."""

    app: str
    to: str
    subject: str
    message: str
    code: str | None = field(default=None, repr=False)
    button: str = ""  #: what it says; it opens the link
    link: str | None = field(default=None, repr=False)
    note: str

    def content(self) -> EmailContent:
        """Return it as HTML and as plain text."""
        code, link = masked(self.code or ""), masked(self.link or "")
        parts = {"app": self.app, "to": self.to, "message": self.message, "button": self.button}
        parts |= {"note": self.note, "subject": self.subject}
        escaped = {name: escape(value, quote=True) for name, value in parts.items()}
        html_body, text_body = masked(""), masked("")
        if code:
            html_body = masked(html_body + _CODE.format(code=escape(code, quote=True)))
            text_body = masked(f"{text_body}{code}\n\n")
        if link:
            html_body = masked(html_body + _LINK.format(link=escape(link, quote=True), **escaped))
            text_body = masked(f"{text_body}{self.button}: {link}\n\n")
        html = masked(_HTML.format(body=html_body, **escaped))
        text = masked(_TEXT.format(body=text_body, **parts))
        return EmailContent(html, self.subject, self.to, is_html=True, text=text)
