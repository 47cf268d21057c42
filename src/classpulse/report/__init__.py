"""What a teacher reads after a class: one page, in a minute; and the same as PDF, CSV and JSON.

`contents` says what there is to say, before `charts` and `page` draw it. The page of a training run is in
`training.report`, and the endpoint that hands a report out in `web.report_api`.
"""
