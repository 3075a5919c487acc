"""FinScribe: a Dagster data platform that teaches PaddleOCR-VL to read financial documents."""
