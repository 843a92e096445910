"""The doctor: examines everything the service depends on, with advice for each finding."""
