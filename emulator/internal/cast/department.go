package cast

import "strings"

// A department is what a job belongs to: what people do there, what they are
// called, and what they are paid.
type department struct {
	name string
	// pay is the department's pay as a part of Engineering's.
	pay float64
	// hints are words that show that a title we do not know belongs here.
	hints []string
	roles []role
	// general is the role of everybody whose title is none of the roles'.
	general role
	// Titles of those who lead.
	lead, manager, director, vp, chief string
}

// A role is a kind of work.
type role struct {
	title string
	// skills are what the work asks for, as they stand in a sentence.
	skills []string
	// duties complete “you will …”.
	duties []string
}

// departments are in the order in which their hints are tried: a Product Designer
// designs.
var departments = []department{
	{
		name: "Engineering", pay: 1, hints: []string{"engineer", "developer", "programmer", "architect", "devops", "software", "qa"},
		roles: []role{
			{"Backend Engineer", []string{"Go", "PostgreSQL", "REST API design", "Docker"},
				[]string{"design and run the services behind our product", "keep our APIs fast and dependable"}},
			{"Frontend Engineer", []string{"TypeScript", "React", "CSS", "accessibility"},
				[]string{"build the pages that our customers use every day", "make our web application fast and accessible"}},
			{"Mobile Developer", []string{"Kotlin", "Swift", "mobile testing", "app releases"},
				[]string{"build our apps for Android and iOS", "bring new features into the app stores"}},
			{"DevOps Engineer", []string{"Kubernetes", "Terraform", "Linux", "monitoring"},
				[]string{"look after our clusters and pipelines", "make releases boring and outages rare"}},
			{"QA Engineer", []string{"test automation", "exploratory testing", "SQL", "Playwright"},
				[]string{"find out what breaks before our customers do", "automate the tests of every release"}},
		},
		general: role{skills: []string{"software design", "code review", "testing", "technical planning"},
			duties: []string{"take systems from the first sketch to production", "decide together how our software is built"}},
		lead: "Engineering Team Lead", manager: "Engineering Manager", director: "Director of Engineering",
		vp: "VP of Engineering", chief: "Chief Technology Officer",
	},
	{
		name: "Data", pay: 0.98, hints: []string{"data", "analytics", "machine learning", "scientist", "bi"},
		roles: []role{
			{"Data Analyst", []string{"SQL", "dashboards", "statistics", "spreadsheets"},
				[]string{"answer questions of the business with data", "build reports that people read"}},
			{"Data Engineer", []string{"Python", "Spark", "SQL", "data modelling"},
				[]string{"build the pipelines that feed our warehouse", "keep our data complete and on time"}},
			{"Data Scientist", []string{"Python", "statistics", "machine learning", "experiment design"},
				[]string{"build models that improve our product", "plan and evaluate experiments"}},
		},
		general: role{skills: []string{"SQL", "data governance", "statistics", "reporting"},
			duties: []string{"turn data into decisions", "set up how the company measures itself"}},
		lead: "Data Team Lead", manager: "Data Analytics Manager", director: "Director of Data", vp: "VP of Data", chief: "Chief Data Officer",
	},
	{
		name: "Design", pay: 0.85, hints: []string{"design", "designer", "ux", "ui"},
		roles: []role{
			{"UX Designer", []string{"prototyping", "usability testing", "interaction design", "Figma"},
				[]string{"design flows that need no manual", "test our ideas with real users"}},
			{"Graphic Designer", []string{"typography", "illustration", "layout", "brand design"},
				[]string{"give our brand its face in print and online", "design what our campaigns show"}},
			{"UX Researcher", []string{"user interviews", "usability testing", "surveys", "synthesis"},
				[]string{"find out what our users need", "bring the voice of users into every decision"}},
		},
		general: role{skills: []string{"design systems", "visual design", "prototyping", "design critique"},
			duties: []string{"set the bar for how our product looks and feels", "care for our design system"}},
		lead: "Design Team Lead", manager: "Design Manager", director: "Director of Design", vp: "VP of Design", chief: "Chief Design Officer",
	},
	{
		name: "Product", pay: 0.97, hints: []string{"product", "scrum", "agile"},
		roles: []role{
			{"Product Manager", []string{"roadmap planning", "user interviews", "prioritisation", "product analytics"},
				[]string{"decide with the team what we build next", "turn the needs of customers into a roadmap"}},
			{"Product Analyst", []string{"product analytics", "SQL", "A/B testing", "presenting results"},
				[]string{"show how people use our product", "measure whether new features help"}},
			{"Scrum Master", []string{"Scrum", "facilitation", "coaching", "conflict resolution"},
				[]string{"help two teams to work well together", "clear obstacles out of the way of the team"}},
		},
		general: role{skills: []string{"product strategy", "roadmap planning", "market research", "stakeholder management"},
			duties: []string{"shape where our product goes", "bring customers, design and engineering together"}},
		lead: "Product Team Lead", manager: "Product Operations Manager", director: "Director of Product",
		vp: "VP of Product", chief: "Chief Product Officer",
	},
	{
		name: "Marketing", pay: 0.75, hints: []string{"marketing", "content", "seo", "brand", "communications", "copywriter", "social media"},
		roles: []role{
			{"Marketing Specialist", []string{"campaign planning", "copywriting", "email marketing", "web analytics"},
				[]string{"plan and run our campaigns", "win new customers online"}},
			{"Content Writer", []string{"copywriting", "editing", "search engine optimisation", "research"},
				[]string{"write articles that people finish reading", "keep our website and newsletters lively"}},
			{"Social Media Specialist", []string{"community management", "short video", "copywriting", "social analytics"},
				[]string{"look after our channels and the people in them", "plan what we post and when"}},
		},
		general: role{skills: []string{"brand strategy", "campaign planning", "budgeting", "web analytics"},
			duties: []string{"make our brand known in new markets", "decide where our marketing budget goes"}},
		lead: "Marketing Team Lead", manager: "Marketing Manager", director: "Director of Marketing",
		vp: "VP of Marketing", chief: "Chief Marketing Officer",
	},
	{
		name: "Sales", pay: 0.8, hints: []string{"sales", "account", "business development", "partnerships"},
		roles: []role{
			{"Account Executive", []string{"consultative selling", "negotiation", "pipeline management", "CRM software"},
				[]string{"bring deals from the first call to the signature", "build lasting relations with customers"}},
			{"Sales Representative", []string{"prospecting", "cold calling", "product demonstrations", "CRM software"},
				[]string{"find and win new customers", "present our product to those who could use it"}},
			{"Account Manager", []string{"account planning", "negotiation", "reporting", "customer relations"},
				[]string{"look after our existing customers", "help customers to get more out of our product"}},
		},
		general: role{skills: []string{"sales planning", "forecasting", "negotiation", "partner management"},
			duties: []string{"grow our revenue year by year", "open up new markets and partners"}},
		lead: "Sales Team Lead", manager: "Sales Manager", director: "Director of Sales", vp: "VP of Sales", chief: "Chief Revenue Officer",
	},
	{
		name: "Customer Support", pay: 0.7, hints: []string{"support", "customer", "help desk", "call center"},
		roles: []role{
			{"Customer Support Specialist", []string{"ticket handling", "clear writing", "patience on the phone", "help desk software"},
				[]string{"answer our customers by phone, email and chat", "write the articles of our help centre"}},
			{"Technical Support Engineer", []string{"troubleshooting", "SQL", "log analysis", "clear writing"},
				[]string{"get to the bottom of technical problems", "reproduce faults and follow them until they are fixed"}},
			{"Customer Success Specialist", []string{"onboarding", "customer training", "presenting", "CRM software"},
				[]string{"accompany new customers in their first months", "train our customers and hear what they need"}},
		},
		general: role{skills: []string{"service quality", "shift planning", "help desk software", "coaching"},
			duties: []string{"make sure that customers get good answers quickly", "improve how our support works"}},
		lead: "Support Team Lead", manager: "Customer Support Manager", director: "Director of Customer Support",
		vp: "VP of Customer Experience", chief: "Chief Customer Officer",
	},
	{
		name: "Human Resources", pay: 0.75, hints: []string{"hr", "human resources", "people", "recruiter", "recruiting", "talent", "payroll"},
		roles: []role{
			{"Recruiter", []string{"sourcing", "structured interviews", "employer branding", "applicant tracking software"},
				[]string{"find the people who move us forward", "accompany candidates from the first call to the offer"}},
			{"People Partner", []string{"labour law", "coaching", "conflict resolution", "performance reviews"},
				[]string{"advise teams in all questions about people", "help managers to lead well"}},
			{"Payroll Specialist", []string{"payroll software", "tax rules", "spreadsheets", "attention to detail"},
				[]string{"make sure that everybody is paid correctly and on time", "answer questions about payslips and benefits"}},
		},
		general: role{skills: []string{"labour law", "workforce planning", "coaching", "compensation planning"},
			duties: []string{"make this a place where people like to stay", "plan how our teams grow"}},
		lead: "People Team Lead", manager: "People Manager", director: "Director of People", vp: "VP of People", chief: "Chief People Officer",
	},
	{
		name: "Finance", pay: 0.82, hints: []string{"finance", "financial", "accountant", "accounting", "controller", "tax", "audit"},
		roles: []role{
			{"Accountant", []string{"bookkeeping", "month-end closing", "tax rules", "accounting software"},
				[]string{"keep our books in order", "prepare the monthly and yearly closing"}},
			{"Financial Analyst", []string{"financial modelling", "forecasting", "spreadsheets", "presenting results"},
				[]string{"build the models behind our plans", "explain where our numbers come from"}},
			{"Controller", []string{"cost accounting", "budgeting", "variance analysis", "reporting"},
				[]string{"compare our plans with what happened", "advise departments about their budgets"}},
		},
		general: role{skills: []string{"financial planning", "budgeting", "reporting", "risk management"},
			duties: []string{"keep the company's finances sound", "plan and watch our budgets"}},
		lead: "Finance Team Lead", manager: "Finance Manager", director: "Director of Finance", vp: "VP of Finance", chief: "Chief Financial Officer",
	},
	{
		name: "Operations", pay: 0.72, hints: []string{"operations", "logistics", "supply", "office", "procurement", "warehouse", "project"},
		roles: []role{
			{"Operations Coordinator", []string{"process documentation", "scheduling", "spreadsheets", "supplier relations"},
				[]string{"keep the daily business running", "coordinate suppliers, teams and dates"}},
			{"Project Manager", []string{"project planning", "risk management", "stakeholder management", "reporting"},
				[]string{"bring projects home in time and within budget", "keep everybody informed about what comes next"}},
			{"Procurement Specialist", []string{"supplier negotiation", "contract management", "cost analysis", "spreadsheets"},
				[]string{"buy what the company needs at fair prices", "negotiate with suppliers and watch deliveries"}},
			{"Office Administrator", []string{"organisation", "travel booking", "clear writing", "spreadsheets"},
				[]string{"make sure that the office works", "be the first contact for visitors and colleagues"}},
		},
		general: role{skills: []string{"process improvement", "planning", "budgeting", "reporting"},
			duties: []string{"keep the daily business running", "make our processes simpler and cheaper"}},
		lead: "Operations Team Lead", manager: "Operations Manager", director: "Director of Operations",
		vp: "VP of Operations", chief: "Chief Operating Officer",
	},
}

// departmentNamed returns the department of that name; one that is not in the
// table is made up around its name.
func departmentNamed(name string) *department {
	for i := range departments {
		if strings.EqualFold(departments[i].name, name) {
			return &departments[i]
		}
	}
	skills := []string{"planning", "clear writing", "teamwork", "reporting"}
	duties := []string{"take care of the daily work of the department", "improve how the department works"}
	return &department{
		name: name, pay: 0.75,
		roles:   []role{{name + " Specialist", skills, duties}, {name + " Coordinator", skills, duties}},
		general: role{skills: skills, duties: duties},
		lead:    name + " Team Lead", manager: name + " Manager", director: "Director of " + name,
		vp: "VP of " + name, chief: "Chief " + name + " Officer",
	}
}

// departmentOfTitle returns the department and, if its title is part of the
// given one, the role that a title speaks of; nil where it says nothing.
func departmentOfTitle(title string) (*department, *role) {
	if title == "" {
		return nil, nil
	}
	for i := range departments {
		for j := range departments[i].roles {
			if r := &departments[i].roles[j]; hasWord(title, r.title) {
				return &departments[i], r
			}
		}
	}
	for i := range departments {
		d := &departments[i]
		for _, own := range []string{d.lead, d.manager, d.director, d.vp, d.chief} {
			if hasWord(title, own) {
				return d, nil
			}
		}
	}
	for i := range departments {
		for _, hint := range departments[i].hints {
			if hasWord(title, hint) {
				return &departments[i], nil
			}
		}
	}
	return nil, nil
}

// titleAt returns what somebody who leads at a level is called, "" for a level
// that does not lead.
func (d *department) titleAt(level string) string {
	switch level {
	case "Team Leader":
		return d.lead
	case "Manager":
		return d.manager
	case "Director":
		return d.director
	case "VP":
		return d.vp
	case "C-level":
		return d.chief
	default:
		return ""
	}
}
