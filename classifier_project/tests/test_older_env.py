"""The .env of an older installation works as it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

# Variables that this service does not know are among them.
OLDER = """
# 应用配置
APP_NAME=Image Classification API   # 应用名称
APP_VERSION=1.0.0
DEBUG=False
SECRET_KEY='dev-secret#key with spaces'
HOST=0.0.0.0
PORT=8000

MYSQL_HOST=127.0.0.1
MYSQL_PORT=3306
MYSQL_USER=classifier
MYSQL_PASSWORD=p@ss/w:rd
MYSQL_DATABASE=image_classifier
MYSQL_POOL_SIZE=20
REDIS_HOST=localhost
REDIS_PORT=6379
REDIS_ENABLED=false

LLM_PROVIDER=qwen
LLM_API_KEY="sk-0123456789"       # 请填写
LLM_API_URL=https://dashscope.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation
LLM_MODEL=qwen-vl-plus            # 或 qwen-vl-max
LLM_TIMEOUT=30
LLM_MAX_TOKENS=500
LLM_TEMPERATURE=0.1

MAX_IMAGE_SIZE_MB=10              # 图片大小上限
ALLOWED_IMAGE_FORMATS=jpg,jpeg,png,webp
COST_PER_API_CALL=0.01
ENABLE_REQUEST_LOG=true
LOG_LEVEL=INFO                    # DEBUG, INFO, WARNING
CLASSIFICATION_PROMPT=请分类：\\n只回答 JSON
CORS_ALLOWED_ORIGINS=*
"""
SHOWN = """
import json
from django.conf import settings as s
database = s.DATABASES["default"]
print(json.dumps([
    [database[name] for name in ("HOST", "PORT", "USER", "PASSWORD", "NAME")],
    s.SECRET_KEY, s.LLM_PROVIDER, s.LLM_API_KEY, s.LLM_MODEL, s.CORS_ALLOW_ALL_ORIGINS,
    s.ALLOWED_IMAGE_FORMATS, str(s.COST_PER_API_CALL), s.CLASSIFICATION_PROMPT,
]))
"""


def test_its_variables_mean_what_they_meant(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(OLDER)
    # The service reads the file at its root; a copy of the root would be slow to make.
    code = (
        "import core.configuration.env as env, pathlib\nread = env.Env\n"
        f"env.Env = lambda _: read(pathlib.Path({str(file)!r}))\n{SHOWN}"
    )
    own = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[2],
        env=own | {"DJANGO_SETTINGS_MODULE": "classifier_project.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [
        ["127.0.0.1", 3306, "classifier", "p@ss/w:rd", "image_classifier"],
        "dev-secret#key with spaces",
        *("aliyun", "sk-0123456789", "qwen-vl-plus", True),
        ["jpg", "jpeg", "png", "webp"],
        "0.01",
        "请分类：\n只回答 JSON",
    ]
