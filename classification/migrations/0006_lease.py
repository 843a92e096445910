"""The model's name is the field's word; its table stays as it is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("classification", "0005_processes_and_spending"),
    ]

    operations = [
        migrations.RenameModel(old_name="Flight", new_name="Lease"),
    ]
