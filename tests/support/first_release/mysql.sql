CREATE TABLE `alert_lease` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `busy_until` datetime(6) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `alert_state` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `condition` varchar(40) NOT NULL,
  `receiver` varchar(40) NOT NULL,
  `since` datetime(6) NOT NULL,
  `seen_at` datetime(6) NOT NULL,
  `told_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `alert_state_unique` (`condition`,`receiver`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `auth_group` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `name` varchar(150) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `auth_group_permissions` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `group_id` int(11) NOT NULL,
  `permission_id` int(11) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `auth_group_permissions_group_id_permission_id_0cd325b0_uniq` (`group_id`,`permission_id`),
  KEY `auth_group_permissio_permission_id_84c5c92e_fk_auth_perm` (`permission_id`),
  CONSTRAINT `auth_group_permissio_permission_id_84c5c92e_fk_auth_perm` FOREIGN KEY (`permission_id`) REFERENCES `auth_permission` (`id`),
  CONSTRAINT `auth_group_permissions_group_id_b120cbf9_fk_auth_group_id` FOREIGN KEY (`group_id`) REFERENCES `auth_group` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `auth_permission` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `name` varchar(255) NOT NULL,
  `content_type_id` int(11) NOT NULL,
  `codename` varchar(100) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `auth_permission_content_type_id_codename_01ab375a_uniq` (`content_type_id`,`codename`),
  CONSTRAINT `auth_permission_content_type_id_2f476e4b_fk_django_co` FOREIGN KEY (`content_type_id`) REFERENCES `django_content_type` (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=121 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `auth_user` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `password` varchar(128) NOT NULL,
  `last_login` datetime(6) DEFAULT NULL,
  `is_superuser` tinyint(1) NOT NULL,
  `username` varchar(150) NOT NULL,
  `first_name` varchar(150) NOT NULL,
  `last_name` varchar(150) NOT NULL,
  `email` varchar(254) NOT NULL,
  `is_staff` tinyint(1) NOT NULL,
  `is_active` tinyint(1) NOT NULL,
  `date_joined` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `username` (`username`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `auth_user_groups` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `user_id` int(11) NOT NULL,
  `group_id` int(11) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `auth_user_groups_user_id_group_id_94350c0c_uniq` (`user_id`,`group_id`),
  KEY `auth_user_groups_group_id_97559544_fk_auth_group_id` (`group_id`),
  CONSTRAINT `auth_user_groups_group_id_97559544_fk_auth_group_id` FOREIGN KEY (`group_id`) REFERENCES `auth_group` (`id`),
  CONSTRAINT `auth_user_groups_user_id_6a12ed8b_fk_auth_user_id` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `auth_user_user_permissions` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `user_id` int(11) NOT NULL,
  `permission_id` int(11) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `auth_user_user_permissions_user_id_permission_id_14a6b632_uniq` (`user_id`,`permission_id`),
  KEY `auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm` (`permission_id`),
  CONSTRAINT `auth_user_user_permi_permission_id_1fbb5f2c_fk_auth_perm` FOREIGN KEY (`permission_id`) REFERENCES `auth_permission` (`id`),
  CONSTRAINT `auth_user_user_permissions_user_id_a95ead1b_fk_auth_user_id` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `authtoken_token` (
  `key` varchar(40) NOT NULL,
  `created` datetime(6) NOT NULL,
  `user_id` int(11) NOT NULL,
  PRIMARY KEY (`key`),
  UNIQUE KEY `user_id` (`user_id`),
  CONSTRAINT `authtoken_token_user_id_35299eff_fk_auth_user_id` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `django_admin_log` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `action_time` datetime(6) NOT NULL,
  `object_id` longtext DEFAULT NULL,
  `object_repr` varchar(200) NOT NULL,
  `action_flag` smallint(5) unsigned NOT NULL CHECK (`action_flag` >= 0),
  `change_message` longtext NOT NULL,
  `content_type_id` int(11) DEFAULT NULL,
  `user_id` int(11) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `django_admin_log_content_type_id_c4bce8eb_fk_django_co` (`content_type_id`),
  KEY `django_admin_log_user_id_c564eba6_fk_auth_user_id` (`user_id`),
  CONSTRAINT `django_admin_log_content_type_id_c4bce8eb_fk_django_co` FOREIGN KEY (`content_type_id`) REFERENCES `django_content_type` (`id`),
  CONSTRAINT `django_admin_log_user_id_c564eba6_fk_auth_user_id` FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `django_content_type` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `app_label` varchar(100) NOT NULL,
  `model` varchar(100) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `django_content_type_app_label_model_76bd3d3b_uniq` (`app_label`,`model`)
) ENGINE=InnoDB AUTO_INCREMENT=31 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
INSERT INTO `django_content_type` VALUES (1,'admin','logentry');
INSERT INTO `django_content_type` VALUES (3,'auth','group');
INSERT INTO `django_content_type` VALUES (2,'auth','permission');
INSERT INTO `django_content_type` VALUES (4,'auth','user');
INSERT INTO `django_content_type` VALUES (7,'authtoken','token');
INSERT INTO `django_content_type` VALUES (8,'authtoken','tokenproxy');
INSERT INTO `django_content_type` VALUES (9,'classification','cacheentry');
INSERT INTO `django_content_type` VALUES (11,'classification','flight');
INSERT INTO `django_content_type` VALUES (12,'classification','modelcall');
INSERT INTO `django_content_type` VALUES (13,'classification','promptversion');
INSERT INTO `django_content_type` VALUES (10,'classification','requestlog');
INSERT INTO `django_content_type` VALUES (14,'classification','reservation');
INSERT INTO `django_content_type` VALUES (15,'classification','serverprocess');
INSERT INTO `django_content_type` VALUES (16,'classification','spendingday');
INSERT INTO `django_content_type` VALUES (5,'contenttypes','contenttype');
INSERT INTO `django_content_type` VALUES (30,'logins','attemptcount');
INSERT INTO `django_content_type` VALUES (28,'operations','alertlease');
INSERT INTO `django_content_type` VALUES (29,'operations','alertstate');
INSERT INTO `django_content_type` VALUES (6,'sessions','session');
INSERT INTO `django_content_type` VALUES (17,'stats','cachetotals');
INSERT INTO `django_content_type` VALUES (18,'stats','day');
INSERT INTO `django_content_type` VALUES (25,'stats','dayaddress');
INSERT INTO `django_content_type` VALUES (19,'stats','daycategory');
INSERT INTO `django_content_type` VALUES (20,'stats','dayduration');
INSERT INTO `django_content_type` VALUES (21,'stats','dayerror');
INSERT INTO `django_content_type` VALUES (22,'stats','dayledger');
INSERT INTO `django_content_type` VALUES (26,'stats','dayuser');
INSERT INTO `django_content_type` VALUES (23,'stats','minute');
INSERT INTO `django_content_type` VALUES (24,'stats','rollup');
INSERT INTO `django_content_type` VALUES (27,'stats','user');
CREATE TABLE `django_migrations` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `app` varchar(255) NOT NULL,
  `name` varchar(255) NOT NULL,
  `applied` datetime(6) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=36 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
INSERT INTO `django_migrations` VALUES (1,'contenttypes','0001_initial','2026-11-28 22:26:12.722859');
INSERT INTO `django_migrations` VALUES (2,'auth','0001_initial','2026-11-28 22:26:14.291151');
INSERT INTO `django_migrations` VALUES (3,'admin','0001_initial','2026-11-28 22:26:14.579550');
INSERT INTO `django_migrations` VALUES (4,'admin','0002_logentry_remove_auto_add','2026-11-28 22:26:14.853822');
INSERT INTO `django_migrations` VALUES (5,'admin','0003_logentry_add_action_flag_choices','2026-11-28 22:26:14.903357');
INSERT INTO `django_migrations` VALUES (6,'contenttypes','0002_remove_content_type_name','2026-11-28 22:26:15.187902');
INSERT INTO `django_migrations` VALUES (7,'auth','0002_alter_permission_name_max_length','2026-11-28 22:26:15.374145');
INSERT INTO `django_migrations` VALUES (8,'auth','0003_alter_user_email_max_length','2026-11-28 22:26:15.466737');
INSERT INTO `django_migrations` VALUES (9,'auth','0004_alter_user_username_opts','2026-11-28 22:26:15.497540');
INSERT INTO `django_migrations` VALUES (10,'auth','0005_alter_user_last_login_null','2026-11-28 22:26:15.620709');
INSERT INTO `django_migrations` VALUES (11,'auth','0006_require_contenttypes_0002','2026-11-28 22:26:15.631407');
INSERT INTO `django_migrations` VALUES (12,'auth','0007_alter_validators_add_error_messages','2026-11-28 22:26:15.653396');
INSERT INTO `django_migrations` VALUES (13,'auth','0008_alter_user_username_max_length','2026-11-28 22:26:15.770875');
INSERT INTO `django_migrations` VALUES (14,'auth','0009_alter_user_last_name_max_length','2026-11-28 22:26:15.863416');
INSERT INTO `django_migrations` VALUES (15,'auth','0010_alter_group_name_max_length','2026-11-28 22:26:15.951302');
INSERT INTO `django_migrations` VALUES (16,'auth','0011_update_proxy_permissions','2026-11-28 22:26:15.986380');
INSERT INTO `django_migrations` VALUES (17,'auth','0012_alter_user_first_name_max_length','2026-11-28 22:26:16.077087');
INSERT INTO `django_migrations` VALUES (18,'authtoken','0001_initial','2026-11-28 22:26:16.268939');
INSERT INTO `django_migrations` VALUES (19,'authtoken','0002_auto_20160226_1747','2026-11-28 22:26:16.353001');
INSERT INTO `django_migrations` VALUES (20,'authtoken','0003_tokenproxy','2026-11-28 22:26:16.363934');
INSERT INTO `django_migrations` VALUES (21,'authtoken','0004_alter_tokenproxy_options','2026-11-28 22:26:16.369139');
INSERT INTO `django_migrations` VALUES (22,'classification','0001_initial','2026-11-28 22:26:16.491187');
INSERT INTO `django_migrations` VALUES (23,'classification','0002_additions','2026-11-28 22:26:19.600750');
INSERT INTO `django_migrations` VALUES (24,'classification','0003_ask_again','2026-11-28 22:26:19.729588');
INSERT INTO `django_migrations` VALUES (25,'classification','0004_older_rows','2026-11-28 22:26:19.858481');
INSERT INTO `django_migrations` VALUES (26,'classification','0005_processes_and_spending','2026-11-28 22:26:20.018197');
INSERT INTO `django_migrations` VALUES (27,'logins','0001_attempt_counts','2026-11-28 22:26:20.061683');
INSERT INTO `django_migrations` VALUES (28,'operations','0001_alerts','2026-11-28 22:26:20.130307');
INSERT INTO `django_migrations` VALUES (29,'sessions','0001_initial','2026-11-28 22:26:20.327518');
INSERT INTO `django_migrations` VALUES (30,'stats','0001_roll_ups','2026-11-28 22:26:21.006428');
INSERT INTO `django_migrations` VALUES (31,'stats','0002_exact_users','2026-11-28 22:26:21.282422');
INSERT INTO `django_migrations` VALUES (32,'stats','0003_spending_by_day','2026-11-28 22:26:21.686485');
INSERT INTO `django_migrations` VALUES (33,'stats','0004_spending_by_minute','2026-11-28 22:26:22.026320');
INSERT INTO `django_migrations` VALUES (34,'stats','0005_top_users_in_order','2026-11-28 22:26:22.130461');
INSERT INTO `django_migrations` VALUES (35,'stats','0006_no_index_by_first_request','2026-11-28 22:26:22.360243');
CREATE TABLE `django_session` (
  `session_key` varchar(40) NOT NULL,
  `session_data` longtext NOT NULL,
  `expire_date` datetime(6) NOT NULL,
  PRIMARY KEY (`session_key`),
  KEY `django_session_expire_date_a5c62663` (`expire_date`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `flight` (
  `image_hash` varchar(64) NOT NULL,
  `token` varchar(32) NOT NULL,
  `renewals` int(10) unsigned NOT NULL CHECK (`renewals` >= 0),
  `ending` varchar(40) NOT NULL,
  `answer` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`answer`)),
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`image_hash`),
  UNIQUE KEY `token` (`token`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `image_classification_cache` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `image_hash` varchar(64) NOT NULL,
  `category` varchar(50) NOT NULL,
  `confidence` decimal(5,4) NOT NULL,
  `description` longtext DEFAULT NULL,
  `model_used` varchar(50) NOT NULL,
  `model_response` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`model_response`)),
  `hit_count` int(10) unsigned NOT NULL CHECK (`hit_count` >= 0),
  `created_at` datetime(6) NOT NULL,
  `last_hit_at` datetime(6) NOT NULL,
  `corrected_at` datetime(6) DEFAULT NULL,
  `corrected_by_id` int(11) DEFAULT NULL,
  `cost` decimal(12,6) NOT NULL DEFAULT 0.000000,
  `input_tokens` int(10) unsigned DEFAULT NULL CHECK (`input_tokens` >= 0),
  `model_category` varchar(50) DEFAULT NULL,
  `output_tokens` int(10) unsigned DEFAULT NULL CHECK (`output_tokens` >= 0),
  `prompt_version` int(10) unsigned DEFAULT NULL CHECK (`prompt_version` >= 0),
  `provider` varchar(20) NOT NULL DEFAULT '',
  `ask_again` tinyint(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  UNIQUE KEY `image_hash` (`image_hash`),
  KEY `image_classification_corrected_by_id_8c7db670_fk_auth_user` (`corrected_by_id`),
  KEY `cache_created_at` (`created_at`),
  KEY `cache_hit_count` (`hit_count`),
  CONSTRAINT `image_classification_corrected_by_id_8c7db670_fk_auth_user` FOREIGN KEY (`corrected_by_id`) REFERENCES `auth_user` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `login_attempt_count` (
  `key` varchar(64) NOT NULL,
  `attempts` int(10) unsigned NOT NULL CHECK (`attempts` >= 0),
  `since` datetime(6) NOT NULL,
  PRIMARY KEY (`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `model_call` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `request_id` varchar(64) NOT NULL,
  `image_hash` varchar(64) NOT NULL,
  `model` varchar(50) NOT NULL,
  `outcome` varchar(40) NOT NULL,
  `billed` varchar(10) NOT NULL,
  `input_tokens` int(10) unsigned DEFAULT NULL CHECK (`input_tokens` >= 0),
  `output_tokens` int(10) unsigned DEFAULT NULL CHECK (`output_tokens` >= 0),
  `cost` decimal(12,6) NOT NULL,
  `duration_ms` int(10) unsigned NOT NULL CHECK (`duration_ms` >= 0),
  `provider_request_id` varchar(64) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `model_call_request_id_855befd3` (`request_id`),
  KEY `model_call_created_at_4cf91b86` (`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `prompt_version` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `version` int(10) unsigned NOT NULL CHECK (`version` >= 0),
  `text` longtext NOT NULL,
  `created_at` datetime(6) NOT NULL,
  `restored_from` int(10) unsigned DEFAULT NULL CHECK (`restored_from` >= 0),
  `accepted_from` int(10) unsigned NOT NULL CHECK (`accepted_from` >= 0),
  `author_id` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `version` (`version`),
  KEY `prompt_version_author_id_7da5863d_fk_auth_user_id` (`author_id`),
  CONSTRAINT `prompt_version_author_id_7da5863d_fk_auth_user_id` FOREIGN KEY (`author_id`) REFERENCES `auth_user` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `request_log` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `request_id` varchar(64) NOT NULL,
  `user_id` varchar(64) DEFAULT NULL,
  `ip_address` varchar(45) DEFAULT NULL,
  `image_hash` varchar(64) NOT NULL,
  `image_size` int(10) unsigned DEFAULT NULL CHECK (`image_size` >= 0),
  `category` varchar(50) NOT NULL,
  `confidence` decimal(5,4) NOT NULL,
  `from_cache` tinyint(1) NOT NULL,
  `processing_time_ms` int(10) unsigned DEFAULT NULL CHECK (`processing_time_ms` >= 0),
  `created_at` datetime(6) NOT NULL,
  `created_date` date GENERATED ALWAYS AS (cast(`created_at` as date)) STORED,
  `cost` decimal(12,6) NOT NULL DEFAULT 0.000000,
  `outcome` varchar(40) NOT NULL DEFAULT 'ok',
  `saved` decimal(12,6) NOT NULL DEFAULT 0.000000,
  `source` varchar(10) NOT NULL DEFAULT '',
  PRIMARY KEY (`id`),
  KEY `request_log_created_at_f5fdd6ba` (`created_at`),
  KEY `request_log_image_hash_750a313c` (`image_hash`),
  KEY `request_log_request_id_4d036b0e` (`request_id`),
  KEY `log_created_date` (`created_date`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `server_process` (
  `token` varchar(32) NOT NULL,
  `host` varchar(255) NOT NULL,
  `pid` int(10) unsigned NOT NULL CHECK (`pid` >= 0),
  `version` varchar(20) NOT NULL,
  `started_at` datetime(6) NOT NULL,
  `seen_at` datetime(6) NOT NULL,
  `model_state` varchar(20) NOT NULL,
  `denied_models` varchar(255) NOT NULL,
  `calls_in_flight` int(10) unsigned NOT NULL CHECK (`calls_in_flight` >= 0),
  `rest_code` varchar(40) NOT NULL,
  `rest_cause` varchar(20) NOT NULL,
  `rest_since` datetime(6) DEFAULT NULL,
  `rest_until` datetime(6) DEFAULT NULL,
  `rows_waiting` int(10) unsigned NOT NULL CHECK (`rows_waiting` >= 0),
  `rows_dropped` int(10) unsigned NOT NULL CHECK (`rows_dropped` >= 0),
  `dropped_at` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`token`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `spending_day` (
  `day` date NOT NULL,
  `spent` bigint(20) NOT NULL,
  `reserved` bigint(20) NOT NULL,
  PRIMARY KEY (`day`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `spending_reservation` (
  `token` varchar(32) NOT NULL,
  `day` date NOT NULL,
  `amount` bigint(20) NOT NULL,
  `request_id` varchar(64) NOT NULL,
  `image_hash` varchar(64) NOT NULL,
  `model` varchar(50) NOT NULL,
  `created_at` datetime(6) NOT NULL,
  PRIMARY KEY (`token`),
  KEY `spending_reservation_created_at_e24fd240` (`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_cache_totals` (
  `id` bigint(20) NOT NULL AUTO_INCREMENT,
  `entries` bigint(20) unsigned NOT NULL CHECK (`entries` >= 0),
  `hits` bigint(20) unsigned NOT NULL CHECK (`hits` >= 0),
  `most_hits` int(10) unsigned NOT NULL CHECK (`most_hits` >= 0),
  `corrected` int(10) unsigned NOT NULL CHECK (`corrected` >= 0),
  `counted_at` datetime(6) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_day` (
  `requests` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`requests` >= 0),
  `hits` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`hits` >= 0),
  `failures` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`failures` >= 0),
  `timed_requests` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`timed_requests` >= 0),
  `total_time_ms` bigint(20) unsigned NOT NULL DEFAULT 0 CHECK (`total_time_ms` >= 0),
  `cost` decimal(16,6) NOT NULL DEFAULT 0.000000,
  `saved` decimal(16,6) NOT NULL DEFAULT 0.000000,
  `day` date NOT NULL,
  `unique_users` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`unique_users` >= 0),
  `unique_ips` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`unique_ips` >= 0),
  `p95_time_ms` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`p95_time_ms` >= 0),
  PRIMARY KEY (`day`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_day_address` (
  `day` date NOT NULL,
  `ip_address` varchar(45) NOT NULL,
  `first_request` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`day`,`ip_address`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_day_category` (
  `day` date NOT NULL,
  `category` varchar(50) NOT NULL,
  `answers` int(10) unsigned NOT NULL CHECK (`answers` >= 0),
  `total_confidence` decimal(16,4) NOT NULL,
  PRIMARY KEY (`day`,`category`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_day_duration` (
  `day` date NOT NULL,
  `time_ms` int(10) unsigned NOT NULL CHECK (`time_ms` >= 0),
  `requests` int(10) unsigned NOT NULL CHECK (`requests` >= 0),
  PRIMARY KEY (`day`,`time_ms`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_day_error` (
  `day` date NOT NULL,
  `error_code` varchar(40) NOT NULL,
  `requests` int(10) unsigned NOT NULL CHECK (`requests` >= 0),
  PRIMARY KEY (`day`,`error_code`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_day_ledger` (
  `day` date NOT NULL,
  `model` varchar(50) NOT NULL,
  `calls` int(10) unsigned NOT NULL CHECK (`calls` >= 0),
  `billed_calls` int(10) unsigned NOT NULL CHECK (`billed_calls` >= 0),
  `perhaps_billed_calls` int(10) unsigned NOT NULL CHECK (`perhaps_billed_calls` >= 0),
  `input_tokens` bigint(20) unsigned NOT NULL CHECK (`input_tokens` >= 0),
  `output_tokens` bigint(20) unsigned NOT NULL CHECK (`output_tokens` >= 0),
  `billed_cost` decimal(16,6) NOT NULL,
  `perhaps_billed_cost` decimal(16,6) NOT NULL,
  PRIMARY KEY (`day`,`model`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_day_user` (
  `day` date NOT NULL,
  `user_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `requests` int(10) unsigned NOT NULL CHECK (`requests` >= 0),
  `hits` int(10) unsigned NOT NULL CHECK (`hits` >= 0),
  `first_request` datetime(6) NOT NULL,
  `last_request` datetime(6) NOT NULL,
  PRIMARY KEY (`day`,`user_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_minute` (
  `requests` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`requests` >= 0),
  `hits` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`hits` >= 0),
  `failures` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`failures` >= 0),
  `timed_requests` int(10) unsigned NOT NULL DEFAULT 0 CHECK (`timed_requests` >= 0),
  `total_time_ms` bigint(20) unsigned NOT NULL DEFAULT 0 CHECK (`total_time_ms` >= 0),
  `cost` decimal(16,6) NOT NULL DEFAULT 0.000000,
  `saved` decimal(16,6) NOT NULL DEFAULT 0.000000,
  `day` date NOT NULL,
  `minute` varchar(5) NOT NULL,
  PRIMARY KEY (`day`,`minute`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_roll_up` (
  `table` varchar(32) NOT NULL,
  `upto` bigint(20) unsigned NOT NULL CHECK (`upto` >= 0),
  `ceiling` bigint(20) unsigned NOT NULL CHECK (`ceiling` >= 0),
  `ceiling_time` double NOT NULL,
  PRIMARY KEY (`table`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
CREATE TABLE `stats_user` (
  `user_id` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `requests` int(10) unsigned NOT NULL CHECK (`requests` >= 0),
  `hits` int(10) unsigned NOT NULL CHECK (`hits` >= 0),
  `first_request` datetime(6) NOT NULL,
  `last_request` datetime(6) NOT NULL,
  PRIMARY KEY (`user_id`),
  KEY `stats_user_most_requests` (`requests` DESC,`user_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
