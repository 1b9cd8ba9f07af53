print("proconsul")
