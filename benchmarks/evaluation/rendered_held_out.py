"""What the held-out half has of screens, cards and papers: no layout of the other half.

Every page is HTML that Chromium draws: screens at phone sizes as they are, cards and papers laid
on a photo of something, turned and blurred a little as a hand-held phone would.
"""

import random
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageFilter, ImageOps

from benchmarks.evaluation.chromium import capture
from benchmarks.evaluation.portraits import before, head_and_shoulders

BAR = (
    "<div style='display:flex;justify-content:space-between;padding:10px 18px;font-weight:600'>"
    "<span>10:27</span><span>5G ▂▄▆ 82%</span></div>"
)
CSS = (
    "<meta charset=utf-8><style>*{box-sizing:border-box}body{margin:0;font:15px/1.5 Noto Sans,"
    "sans-serif;background:%s;color:%s}.pad{padding:12px 16px}.row{display:flex;gap:12px;padding:12px"
    " 16px;background:#8881;border-bottom:1px solid #8883}.dot{width:44px;height:44px;border-radius:"
    "50%%;background:#c6a;flex:none}.grow{flex:1}.mut{opacity:.6;font-size:13px}.tabs{position:fixed;"
    "bottom:0;left:0;right:0;display:flex;justify-content:space-around;padding:12px;background:#8882}"
    ".me{margin:8px 12px 8px 80px;padding:10px 14px;border-radius:18px;background:#2f7cf6;color:#fff}"
    ".you{margin:8px 80px 8px 12px;padding:10px 14px;border-radius:18px;background:#8883}.keys{"
    "position:fixed;bottom:0;left:0;right:0;background:#ced2d9;padding:8px 4px 40px;text-align:center}"
    ".keys b{display:inline-block;width:8.6%%;margin:4px .5%%;padding:10px 0;background:#fff;color:#111;"
    "border-radius:5px}.card{margin:12px 16px;padding:16px;border-radius:14px;background:#8882}"
    "img{display:block;object-fit:cover}</style>"
)
SIZES = ((375, 812), (393, 873), (430, 932))
UTF8 = "<meta charset=utf-8>"
LIGHT, DARK = CSS % ("#fff", "#111"), CSS % ("#0d0f14", "#eaeaea")
TABS = "<div class=tabs><span>首页</span><span>发现</span><span>消息</span><span>我的</span></div>"


def _rows(lines: list[str]) -> str:
    return "".join(
        f"<div class=row><div class=dot></div><div class=grow>{line}<div class=mut>昨天 18:{n:02}</div>"
        "</div><span class=mut>›</span></div>"
        for n, line in enumerate(lines, 11)
    )


KEYS = "".join(f"<b>{key}</b>" for key in "QWERTYUIOPASDFGHJKLZXCVBNM")
SCREENS = {
    "messenger": "<div class=pad><b>‹ Anna</b> <span class=mut>online</span></div>"
    "<div class=you>Did you book the tickets?</div><div class=me>Yes! Friday, 7 pm, row 12.</div>"
    "<div class=you>Great. Dinner before?</div><div class=me>The noodle place near the park?</div>"
    "<div class=you>👍 see you at 5</div>" + f"<div class=keys>{KEYS}</div>",
    "chat-photo": "<div class=pad><b>旅行小分队 (4)</b></div><div class=you>看看这张</div>"
    "<img src='{0}' width=220 height=160 style='margin:8px 12px;border-radius:12px'>"
    "<div class=me>太美了，在哪里拍的？</div><div class=you>山顶，早上六点</div>" + TABS,
    "conversations": "<div class=pad><h2>消息</h2></div>"
    + _rows(["妈妈：到家了吗", "项目组：明天十点开会", "小李：[图片]", "快递：您的包裹已到",
             "阿强：周末打球？", "房东：水电费已收", "银行：验证码 4821", "同学群：新年快乐"]) + TABS,
    "news": "<div class=pad><h2>Rain to ease by Thursday</h2><span class=mut>By Staff · 4 min read"
    "</span></div><img src='{0}' width=100% height=210><div class=pad>"
    + "Forecasters expect the band of showers to move east overnight. Trains run normally. " * 9 + "</div>",
    "takeaway": "<div class=pad><b>附近的外卖</b></div>" + "".join(
        f"<div class=row><img src='{{{n % 2 + 1}}}' width=84 height=84><div class=grow><b>{name}</b>"
        "<div class=mut>4.8 分 · 月售 900+ · 30 分钟</div>起送 ¥20</div></div>"
        for n, name in enumerate(["老街面馆", "川味小炒", "轻食沙拉", "深夜粥铺", "甜品时光"])) + TABS,
    "map": "<div style='height:100vh;background:linear-gradient(115deg,#e8efe0 40%,#fff 40% 43%,"
    "#e8efe0 43% 62%,#fbe7a0 62% 66%,#d7e6f4 66%)'><div class=card style='background:#fff'>"
    "Search here 🔍</div><div style='position:fixed;bottom:0;width:100%;background:#fff;padding:20px'>"
    "<b>Central Station</b><br>12 min · 3.4 km<br><br>[ Directions ]   [ Start ]</div></div>",
    "wallet": "<div class=pad><h2>Wallet</h2><h1>€ 2,318.40</h1></div>" + "".join(
        f"<div class=row><div class=grow>{name}</div><b>-{cost}</b></div>" for name, cost in
        [("Groceries", "42.10"), ("Metro", "2.90"), ("Books", "18.00"), ("Pharmacy", "9.75"),
         ("Coffee", "3.20"), ("Rent", "780.00"), ("Phone", "15.00")]) + TABS,
    "alarm": "<div class=pad><h2>闹钟</h2></div>" + "".join(
        f"<div class=row><h1 class=grow style='font-weight:200;margin:0'>{time}</h1>◉</div>"
        for time in ("06:30", "07:00", "07:10", "08:45", "22:15")) + TABS,
    "profile": "<img src='{0}' width=100% height=190><div class=pad><h2>Li Wei</h2><span class=mut>"
    "218 posts · 1,204 followers</span></div><div style='display:grid;grid-template-columns:1fr 1fr"
    " 1fr;gap:2px'>" + "<img src='{1}' width=100% height=120><img src='{0}' width=100% height=120>"
    "<img src='{2}' width=100% height=120>" * 3 + "</div>",
    "ticket": "<div class=card style='text-align:center'><h2>G123 次</h2><h1>北京南 → 上海虹桥</h1>"
    "09:00 — 13:28<br><br>05 车 12A 二等座<br><br><div style='font-size:90px;line-height:1'>▦▩▦<br>"
    "▩▦▩</div><br>¥ 553.0</div>" + TABS,
}  # fmt: skip
PAPERS = {
    "receipt": ((420, 900), UTF8 + "<body style='font:17px/1.7 monospace;padding:26px;background:#fdfdfb'>"
        "<center><b>CITY MARKET</b><br>12 High Street<br>--------------------------</center>"
        "Milk 1L ........ 1.29<br>Bread .......... 2.49<br>Eggs x10 ....... 3.19<br>Apples 1.2kg ..."
        " 3.58<br>Rice 2kg ....... 4.10<br>Soap ........... 0.99<br>--------------------------<br>"
        "<b>TOTAL ......... 15.64</b><br>CASH .......... 20.00<br>CHANGE ......... 4.36<br><br>"
        "<center>24/11/2026 17:42<br>Thank you!</center>"),
    "letter": ((800, 1100), UTF8 + "<body style='font:20px/1.8 Noto Serif,serif;padding:80px;background:#fff'>"
        "<p align=right>14 March 2026</p><p>Dear Sir or Madam,</p>" + "<p>" + "I am writing about the "
        "repair of the roof that we agreed in January. The work has not begun, and the rain has "
        "reached the upper floor. " * 5 + "</p><p>Yours faithfully,</p><p><i>M. Brown</i></p>"),
    "invoice": ((800, 1100), UTF8 + "<body style='font:18px/1.6 Noto Sans,sans-serif;padding:60px;background:#fff'>"
        "<h1>发票 / INVOICE</h1><p>No. 20261124-031</p><table border=1 cellspacing=0 cellpadding=12 "
        "width=100%>" + "".join(f"<tr><td>{n}<td>办公用品 {n}<td>{n * 3}<td>¥ {n * 47}.00"
        for n in range(1, 11)) + "</table><h2 align=right>合计 ¥ 2,585.00</h2>"),
    "novel": ((760, 1100), UTF8 + "<body style='font:22px/1.7 Noto Serif CJK SC,serif;padding:70px;background:#f6f0e2'>"
        "<center>第三章</center>" + "<p>　　" + "那一年的秋天来得很早，街上的树叶一夜之间都黄了。他提着箱子走进车站，"
        "没有回头。" * 6 + "</p>" * 2),
}  # fmt: skip
CARDS = {
    "licence": ((1000, 630), UTF8 + "<body style='margin:0;background:linear-gradient(100deg,#cfe3f6,#f7dfe8 60%,"
        "#e4f3d9);font:24px/1.5 Noto Sans,sans-serif;padding:34px;color:#234'><b style='font-size:38px;"
        "color:#1b4a8a'>DRIVER LICENSE</b><br><img src='{0}' width=250 height=333 style='float:left;"
        "margin:20px 36px 0 0'><br>DL I1234568<br>EXP 08/31/2029<br>LN SAMPLE<br>FN ALEX JORDAN<br>"
        "2570 24TH STREET<br>DOB 08/31/1987<br>SEX M  HGT 5'-10\"  EYES BRN"),
    "passport": ((1000, 704), UTF8 + "<body style='margin:0;background:#f3ead9;font:22px/1.45 Noto Sans,"
        "sans-serif;padding:30px;color:#222'><b style='color:#7a1f2b'>PASSPORT / REISEPASS</b>"
        "<div style='display:flex;gap:36px;margin:18px 0 26px'><img src='{0}' width=270 height=360>"
        "<div>P &nbsp; UTO &nbsp; L898902C3<br>MUSTERMANN<br>ERIKA<br>UTOPIAN<br>12 AUG 1984<br>"
        "BERLIN<br>16 APR 2022<br>15 APR 2032</div></div><pre style='font:bold 29px monospace'>"
        "P&lt;UTOMUSTERMANN&lt;&lt;ERIKA&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;"
        "&lt;&lt;&lt;&lt;&lt;&lt;\nL898902C36UTO8408122F3204159&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;&lt;08"),
    "resident": ((1000, 630), UTF8 + "<body style='margin:0;background:linear-gradient(160deg,#e6f0f5,#dfe9e4 50%,"
        "#f0e6ea);font:27px/2.1 Noto Sans CJK SC,sans-serif;padding:50px 60px;color:#134'><img src='{0}' "
        "width=270 height=350 style='float:right'><span style='color:#47a'>姓 名</span>　李晓明<br>"
        "<span style='color:#47a'>性 别</span>　女　<span style='color:#47a'>民 族</span>　汉<br>"
        "<span style='color:#47a'>出 生</span>　1992 年 5 月 17 日<br><span style='color:#47a'>住 址</span>"
        "　广州市天河区某路 88 号<br><br><span style='color:#47a'>公民身份号码</span>　440106199205170000"),
    "student": ((1000, 640), UTF8 + "<body style='margin:0;background:#fff;font:26px/1.7 Noto Sans,sans-serif;"
        "color:#222'><div style='background:#0b6;color:#fff;padding:22px 34px;font-size:36px'>学生证 "
        "STUDENT CARD</div><img src='{0}' width=240 height=320 style='float:left;margin:34px'>"
        "<p style='padding-top:26px'>姓名：王小红<br>学院：信息工程学院<br>学号：20230417<br>"
        "有效期：2027.07<br>||| || |||| | ||| |||| ||</p>"),
}  # fmt: skip


def render(half: Path) -> None:
    """Add screens, ID photos, cards and papers to the held-out half, a folder with its photos."""
    chance = random.Random("held-out")  # noqa: S311
    tables = sorted((half / "other").iterdir())
    _screens(half)
    _cards(half, tables, chance)
    _papers(half / "other", tables[::-1], chance)


def _screens(half: Path) -> None:
    pictures = [sorted((half / kind).iterdir())[2] for kind in ("travel_scenery", "foods", "other")]
    for number, (name, page) in enumerate(SCREENS.items()):
        for dark, css in enumerate((LIGHT, DARK)):
            screen = capture(css + BAR + _with(page, pictures), SIZES[number % 3], scale=2)
            # Phones keep screens as PNG; apps that pass them on make them JPEG.
            ending = ("jpg", "png")[(number + dark) % 2]
            screen.save(half / "screenshot" / f"{name}-{dark}.{ending}", quality=85)


def _cards(half: Path, tables: list[Path], chance: random.Random) -> None:
    target = half / "idcard"
    portraits = sorted(target.iterdir())
    # Those before them wear hats and sunglasses, as on no ID photo.
    people = head_and_shoulders(half / "single_person")[10:12]
    for person, ground in zip(people, ("#ffffff", "#3b7ddd"), strict=True):
        portraits.append(target / f"portrait-{ground[1:]}.jpg")
        before(person, ground).save(portraits[-1], quality=90)
    for number, (name, (size, html)) in enumerate([*CARDS.items()] * 2):
        card = capture(_with(html, [portraits[number % len(portraits)]]), size)
        if number >= len(CARDS):
            card = _on(card, Image.open(tables[number]), chance)
        card.save(target / f"{name}-{number}.jpg", quality=86)


def _papers(target: Path, tables: list[Path], chance: random.Random) -> None:
    for (name, (size, html)), table in zip(PAPERS.items(), tables, strict=False):
        paper = _on(capture(html, size), Image.open(table), chance)
        paper.save(target / f"{name}.jpg", quality=86)


def _with(page: str, pictures: list[Path]) -> str:
    for number, picture in enumerate(pictures):
        page = page.replace(f"{{{number}}}", picture.resolve().as_uri())
    return page


def _on(paper: Image.Image, table: Image.Image, chance: random.Random) -> Image.Image:
    """The paper on the table as seen a little askew, filling most of a photo."""
    width, height = (1600, 1200) if paper.width > paper.height else (1200, 1600)
    scale = 0.82 * min(width / paper.width, height / paper.height)
    left, top = (width - paper.width * scale) / 2, (height - paper.height * scale) / 2
    right, bottom = width - left, height - top
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    moved = [[chance.uniform(-60, 60) for _ in "xy"] for _ in corners]
    askew = corners + np.array(moved, np.float32)
    edges = [[0, 0], [paper.width, 0], [paper.width, paper.height], [0, paper.height]]
    flat = np.array(edges, np.float32)
    turn = cv2.getPerspectiveTransform(flat, askew)
    ground = ImageOps.fit(table.convert("RGB"), (width, height)).filter(ImageFilter.GaussianBlur(4))
    laid = cv2.warpPerspective(np.asarray(paper), turn, (width, height))
    mask = cv2.warpPerspective(np.full(paper.size[::-1], 255, np.uint8), turn, (width, height))
    photo = Image.composite(Image.fromarray(laid), ground, Image.fromarray(mask))
    return photo.filter(ImageFilter.GaussianBlur(1.2))
