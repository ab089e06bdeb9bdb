"""The HTML of Bookinfo's productpage: the texts and colours that Istio's tutorials tell people to look for."""

from html import escape

STYLE = """body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#223}
nav{background:#1f2937;color:#fff;padding:1rem 2rem;display:flex;justify-content:space-between}
nav a,nav button{color:#fff}main{padding:1rem 2rem;max-width:60rem}
h1{color:#1e3a8a}table{border-collapse:collapse}td,th{padding:.25rem .75rem;border-bottom:1px solid #ccd;text-align:left}
section{background:#eef2ff;padding:1rem;margin:1rem 0}.stars{font-size:1.5rem;letter-spacing:.2rem}
.text-red-500{color:#ef4444}.text-black-500{color:#000}.served{font-family:monospace;color:#556}
"""
_DETAILS = (
    ("ISBN-10", "ISBN-10"),
    ("publisher", "Publisher"),
    ("pages", "Pages"),
    ("type", "Type"),
    ("language", "Language"),
)


def _field(document: object, name: str) -> object:
    return document.get(name) if isinstance(document, dict) else None


def _text(document: object, name: str) -> str:
    value = _field(document, name)
    return "" if value is None else escape(str(value))


def _frame(body: str, user: str) -> str:
    who = (
        f'<span>{escape(user)} <a href="logout">Sign out</a></span>'
        if user
        else (
            '<form method="post" action="login" name="login_form">'
            '<input name="username" required placeholder="Username"> '
            '<input name="passwd" type="password" placeholder="Password"> '
            "<input type=submit value='Sign in'></form>"
        )
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1.0">'
        "<title>Simple Bookstore App</title>"
        '<link rel="stylesheet" href="static/style.css"></head>\n'
        f"<body><nav><b>BookInfo Sample</b>{who}</nav>\n<main>\n{body}</main></body></html>\n"
    )


def _details(status: int, details: object) -> str:
    if status != 200:
        return f'<p class="text-red-500">Error fetching product details</p>\n<p>{_text(details, "error")}</p>\n'
    heads = "".join(f"<th>{title}</th>" for _, title in _DETAILS)
    cells = "".join(f"<td>{_text(details, name)}</td>" for name, _ in _DETAILS)
    return f"<h4>Book Details</h4>\n<table><tr>{heads}</tr>\n<tr>{cells}</tr></table>\n"


def _rating(rating: object) -> str:
    if not isinstance(rating, dict):
        return ""
    stars = rating.get("stars")
    if isinstance(stars, int):
        shown = max(0, min(stars, 5))
        color = _text(rating, "color")
        # The <font> tag is what older texts of the tutorial grep for, the class what newer ones do.
        return (
            f'<div class="stars text-{color}-500"><font color="{color}">{"★" * shown}{"☆" * (5 - shown)}</font></div>\n'
        )
    return f'<p class="text-red-500">{_text(rating, "error")}</p>\n'


def _reviews(status: int, document: object) -> str:
    if status != 200:
        return f'<p class="text-red-500">Error fetching product reviews</p>\n<p>{_text(document, "error")}</p>\n'
    cluster = _text(document, "clustername")
    where = f" on cluster {cluster}" if cluster not in ("", "null") else ""
    blocks = ["<h4>Book Reviews</h4>\n"]
    reviews = _field(document, "reviews")
    for review in reviews if isinstance(reviews, list) else []:
        blocks.append(
            f"<section>{_rating(_field(review, 'rating'))}"
            f"<blockquote>&quot;{_text(review, 'text')}&quot;</blockquote>\n"
            f"<b>{_text(review, 'reviewer')}</b>\n"
            f'<div class="served">Reviews served by: {_text(document, "podname")}{where}</div></section>\n'
        )
    return "".join(blocks)


def product(
    title: str, description_html: str, user: str, details: tuple[int, object], reviews: tuple[int, object]
) -> str:
    """The product page. ``details`` and ``reviews`` are status and document of those services."""
    body = f"<h1>{escape(title)}</h1>\n<p>{description_html}</p>\n{_details(*details)}{_reviews(*reviews)}"
    return _frame(body, user)


def index() -> str:
    """The start page: what calls what, and the link to the product page."""
    rows = "".join(
        f"<tr><td>{name}</td><td>{calls}</td></tr>"
        for name, calls in (
            ("productpage", "details, reviews"),
            ("reviews", "ratings"),
            ("details", ""),
            ("ratings", ""),
        )
    )
    return _frame(
        "<h1>Hello! This is a simple bookstore application consisting of four services</h1>\n"
        f"<table><tr><th>service</th><th>calls</th></tr>{rows}</table>\n"
        '<p><a href="/productpage?u=normal">Normal user</a> · <a href="/productpage?u=test">Test user</a></p>\n',
        "",
    )
