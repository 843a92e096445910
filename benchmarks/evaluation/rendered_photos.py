"""What the tuning half has of screens as a phone captures them, ID photos and cards."""

import random
from pathlib import Path

from PIL import ExifTags, Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from benchmarks.evaluation.chromium import capture
from benchmarks.evaluation.portraits import before, head_and_shoulders

SIZES = ((360, 780), (390, 844), (412, 915))
FONT = "/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc"
GROUNDS = ("#ffffff", "#438edb", "#d03a3a", "#dfe6ee")

CHAT = "".join(
    f"<p style='text-align:{side}'><span class=b>{words}</span></p>"
    for side, words in (("left", "周末去爬山吗？"), ("right", "好啊，几点集合？"),
                        ("left", "八点在地铁站门口见"), ("right", "收到，我带水和吃的"))
)  # fmt: skip
ROW = "<div class=r><div class=i></div><div>{}<br><small>{}</small></div></div>"
SETTINGS = "".join(
    ROW.format(w, "已开启")
    for w in ["网络", "蓝牙", "通知", "显示", "声音", "电池", "隐私", "存储"]
)
TEXT = "<p>" + "今天天气很好，我们去了海边，看到了很多有趣的东西。The quick brown fox. " * 12
PAGES = {
    "chat": f"<h3>家人群 (6)</h3>{CHAT}{CHAT}",
    "settings": f"<h3>设置</h3>{SETTINGS}",
    "article": f"<h2>海边的一天</h2><img src='{{0}}' width=100%>{TEXT}",
    "shop": "<h3>购物</h3>" + "<div class=c><img src='{0}' width=100%>商品 ¥128.00</div>"
    "<div class=c><img src='{1}' width=100%>新品 ¥59.90</div>" * 2,
    "terminal": "<pre>" + "user@host:~$ ls -la\ndrwxr-xr-x 2 user user 4096\n" * 14,
    "login": "<br><br><h1 align=center>登录</h1>" + "<div class=b>手机号</div><br>" * 3,
    "story": "<img src='{0}' class=full><h3 class=over>9:41 ▮▮▮<br>@travel · 关注</h3>",
    "bank": "<h1>¥ 12,480.55</h1>" + "".join(ROW.format("转账", f"-{n}.00 元") for n in range(9)),
    "mail": "<h2>收件箱</h2>" + "".join(ROW.format("Re: 会议", TEXT[3:40]) for _ in range(10)),
    "feed": "<h3>朋友圈</h3><b>小明</b> 今天的照片<br><img src='{0}' width=70%><br>❤ 12 赞"
    "<hr><b>小红</b> 好吃！<br><img src='{1}' width=70%>",
    "calendar": "<h2>2026年11月</h2><table width=100% cellpadding=12>"
    + "".join(f"<tr>{''.join(f'<td>{w * 7 + d + 1}' for d in range(7))}" for w in range(4)),
    "weather": "<div class=sky><h1>北京 21°</h1>多云<br><br>" + "周一 ☁ 12° 22°<hr>" * 9,
    "player": "<div class=night><img src='{0}' width=80%><h2>夜曲</h2>━━━●────── 2:14<h1>⏮ ⏸ ⏭",
    "lock": "<img src='{1}' class=full><h1 class=over align=center>9:41<br>11月24日 星期二</h1>",
    "notes": f"<h2>备忘录</h2><ul>{'<li>买牛奶、鸡蛋和面包' * 6}</ul>{TEXT}",
    "code": "<pre>def main():\n    for row in rows:\n        print(row)\n\n" * 10,
}
STYLE = (
    "<meta charset=utf-8><style>body{font:16px sans-serif;margin:12px}.r{display:flex;padding:10px 0;"
    "border-bottom:1px solid #ccc}.i{width:36px;height:36px;border-radius:9px;background:#18c;"
    "margin-right:12px}.b{background:#9e6;color:#000;padding:9px;border-radius:9px}.c{width:46%;"
    "float:left;margin:2%}.full{position:fixed;inset:0;width:100%;height:100%;object-fit:cover}.over{"
    "position:fixed;color:#fff;left:16px;right:16px}.sky{background:#59d;color:#fff;padding:20px;"
    "height:900px}.night{background:#222;color:#eee;height:900px;padding:20px;text-align:center}"
)


def render(half: Path) -> None:
    """Add the screens and the cards to the tuning half, a folder with its photos."""
    chance = random.Random("tuning")  # noqa: S311
    _screens(half)
    people = head_and_shoulders(half / "single_person")
    target = half / "idcard"
    target.mkdir(parents=True, exist_ok=True)
    for number, person in enumerate(people[:14]):
        before(person, GROUNDS[number % 4]).save(target / f"portrait-{number}.jpg")
    for number, person in enumerate(people[:16]):
        _card(person, number, chance, half / "other", target / f"card-{number}.jpg")


def _screens(half: Path) -> None:
    pictures = sorted((half / "travel_scenery").iterdir())
    for number, (name, page) in enumerate(PAGES.items()):
        for theme in ("", "body{background:#111;color:#ddd}"):
            html = page.replace("{0}", pictures[number].as_uri())
            html = html.replace("{1}", pictures[number + 5].as_uri())
            screen = capture(f"{STYLE}{theme}</style>{html}", SIZES[number % 3])
            screen.save(half / "screenshot" / f"{name}{'-dark' if theme else ''}.png")


def _card(
    person: Image.Image, number: int, chance: random.Random, tables: Path, target: Path
) -> None:
    """An identity card, a licence or a passport's page, scanned or lying on something."""
    is_passport = number % 3 == 2
    size = (1000, 704) if is_passport else (1000, 630)
    hue = chance.choice([(228, 238, 246), (246, 232, 228), (230, 243, 230)])
    card = Image.new("RGB", size, hue)
    draw = ImageDraw.Draw(card)
    for line in range(0, 1700, 14):  # guilloche
        draw.arc((line - 900, -200, line + 300, 900), 0, 360, tuple(c - 9 for c in hue), 2)
    font = ImageFont.truetype(FONT, 34)
    photo_left = 650 if number % 3 == 0 else 60
    words_left = 60 if number % 3 == 0 else 400
    card.paste(before(person, "#f4f4f4").resize((285, 380)), (photo_left, 130))
    draw.text((60, 40), ("中华人民共和国居民身份证", "DRIVING LICENCE", "PASSPORT 护照")[number % 3],
              "#933", font)  # fmt: skip
    for row, words in enumerate(("姓名 张三 ZHANG SAN", "性别 男  民族 汉", "出生 1990 年 1 月 1 日",
                                 "住址 北京市海淀区", "签发 2020.01.01")):  # fmt: skip
        draw.text((words_left, 130 + row * 66), words, "#223", font)
    foot = (
        "P<CHNZHANG<<SAN<<<<<<<<<<<<<<<<<<<<<\nE123456784CHN900101" if is_passport else "1101081990"
    )
    draw.text((60, 540), foot, "#111", font)
    if number % 2 == 0:
        card.save(target, quality=88)
        return
    grounds = sorted(tables.iterdir())
    table = ImageOps.fit(Image.open(grounds[number]).convert("RGB"), (1600, 1200))
    table = table.filter(ImageFilter.GaussianBlur(3))
    tilted = card.convert("RGBA").rotate(chance.uniform(-9, 9), Image.Resampling.BICUBIC, True)
    table.paste(tilted, (300 + chance.randint(-90, 90), 250), tilted)
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Phone", "One"
    table.filter(ImageFilter.GaussianBlur(1)).save(target, quality=85, exif=exif)
